//! How a new database system is made.

use crate::inventory::param;
use crate::inventory::parameters::Typed;
use serde_json::{Value, json};

/// Arguments of initdb (PostgreSQL 17 has a built-in provider for C locales).
pub(super) fn initdb(typed: &Typed<'_>, version: u32) -> Value {
    let (encoding, locale) = (typed.get(param::PG_ENCODING), typed.get(param::PG_LOCALE));
    let mut args = Vec::new();
    match typed.get(param::PG_CHECKSUM) {
        true => args.push(json!("data-checksums")),
        false if version >= 18 => args.push(json!("no-data-checksums")),
        false => {}
    }
    args.push(json!({ "encoding": encoding }));
    if version >= 17 && encoding == "UTF8" && matches!(locale.as_str(), "C" | "C.UTF-8") {
        args.push(json!({ "locale-provider": "builtin" }));
        args.push(json!({ "builtin-locale": locale }));
    }
    args.push(json!({ "locale": locale }));
    args.push(json!({ "lc-collate": typed.get(param::PG_LC_COLLATE) }));
    args.push(json!({ "lc-ctype": typed.get(param::PG_LC_CTYPE) }));
    json!(args)
}
