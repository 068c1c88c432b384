//! The fields of declared resources against what their kinds take: once for the catalog, whichever hosts there are.

use crate::catalog::{Catalog, ResourceDecl, unknown_key};
use crate::names::nearest;
use crate::resource::Resource;
use crate::resource::group::GroupResource;
use crate::source::{Diagnostic, Diagnostics};

/// Fields that a rendered template fills, by the name that the kind has for them.
const FROM_TEMPLATE: [&str; 3] = ["content", "run", "first"];

/// Reports each kind that does not exist, and each field that its kind does not have.
pub(super) fn check(catalog: &Catalog, problems: &mut Diagnostics) {
    for decl in catalog.roles.values().flat_map(|role| &role.resources) {
        problems.extend(faults(decl));
    }
}

fn faults(decl: &ResourceDecl) -> Vec<Diagnostic> {
    let known = Resource::fields(&decl.kind).or_else(|| GroupResource::fields(&decl.kind));
    let Some(fields) = known else {
        return vec![unknown_kind(decl)];
    };
    let mut fields = fields.to_vec();
    if FROM_TEMPLATE.iter().any(|filled| fields.contains(filled)) {
        fields.push("template");
    }
    let what = format!("`{}`", decl.kind);
    let unknown = decl
        .keys
        .iter()
        .filter(|key| !key.as_str().is_some_and(|key| fields.contains(&key)));
    unknown
        .map(|key| unknown_key(key, "bad-resource", &what, &fields))
        .collect()
}

fn unknown_kind(decl: &ResourceDecl) -> Diagnostic {
    let kinds = || Resource::KINDS.iter().chain(GroupResource::KINDS).copied();
    let message = format!("there is no resource kind `{}`", decl.kind);
    let problem = Diagnostic::error("bad-resource", message).at(decl.span, "here");
    match nearest(&decl.kind, kinds()) {
        Some(meant) => problem.help(format!("did you mean `{meant}`?")),
        None => problem.help(format!(
            "kinds are {}",
            kinds().collect::<Vec<_>>().join(", ")
        )),
    }
}
