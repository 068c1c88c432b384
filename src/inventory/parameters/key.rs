//! Parameters as keys: each row of a table gives one, and what it reads as.

use std::fmt;
use std::marker::PhantomData;

use serde_json::Value;

use super::kind::{boolean, float, integer};
use super::{DefaultValue, Param, ROWS};
use crate::secret::Secret;

/// A parameter, and the type of Rust that its values are read as. A parameter without a default reads as an `Option`.
pub struct Key<T> {
    param: &'static Param,
    value: PhantomData<fn() -> T>,
}

impl<T> Clone for Key<T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T> Copy for Key<T> {}

impl<T> fmt::Debug for Key<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Key").field(&self.param.name).finish()
    }
}

impl<T> Key<T> {
    pub(super) const fn new(param: &'static Param) -> Self {
        Self {
            param,
            value: PhantomData,
        }
    }

    /// The row of the table.
    pub const fn param(self) -> &'static Param {
        self.param
    }

    /// The name, as an inventory writes it.
    pub const fn name(self) -> &'static str {
        self.param.name
    }
}

impl<T: Readable> Key<T> {
    /// The default; none only where the row's default does not read as its type, which a test excludes.
    pub(super) fn default(self) -> Option<T> {
        match ROWS.get(self.param.name) {
            Some(row) => T::read(&row.default),
            None => T::read(&self.param.default.json()),
        }
    }
}

impl DefaultValue {
    pub(super) fn json(&self) -> Value {
        match self {
            Self::Json(text) => serde_json::from_str(text).unwrap_or(Value::Null),
            Self::None => Value::Null,
        }
    }
}

/// What a parameter's value is read as, after its kind has been judged.
pub trait Readable: Default {
    /// None where the value is of another kind.
    fn read(value: &Value) -> Option<Self>;
}

impl<T: Readable> Readable for Option<T> {
    fn read(value: &Value) -> Option<Self> {
        match value {
            Value::Null => Some(None),
            given => T::read(given).map(Some),
        }
    }
}

impl Readable for Value {
    fn read(value: &Value) -> Option<Self> {
        Some(value.clone())
    }
}

impl Readable for String {
    fn read(value: &Value) -> Option<Self> {
        match value {
            Value::Null | Value::Array(_) | Value::Object(_) => None,
            Value::String(text) => Some(text.clone()),
            Value::Bool(_) | Value::Number(_) => Some(value.to_string()),
        }
    }
}

impl Readable for Secret {
    fn read(value: &Value) -> Option<Self> {
        String::read(value).map(Self::new)
    }
}

impl Readable for bool {
    fn read(value: &Value) -> Option<Self> {
        boolean(value)
    }
}

impl Readable for f64 {
    fn read(value: &Value) -> Option<Self> {
        float(value)
    }
}

impl Readable for i64 {
    fn read(value: &Value) -> Option<Self> {
        integer(value)
    }
}

impl Readable for u32 {
    fn read(value: &Value) -> Option<Self> {
        integer(value)?.try_into().ok()
    }
}

impl Readable for u16 {
    fn read(value: &Value) -> Option<Self> {
        integer(value)?.try_into().ok()
    }
}

/// One row a line: the key, the type that it reads as, the parameter.
macro_rules! table {
    ($($key:ident: $value:ty = $row:expr;)*) => {
        $(pub const $key: $crate::inventory::parameters::Key<$value> = {
            static PARAM: Param = $row;
            $crate::inventory::parameters::Key::new(&PARAM)
        };)*

        pub(super) static TABLE: &[&Param] = &[$($key.param()),*];

        /// Rows whose default does not read as their type, or whose key has another name.
        #[cfg(test)]
        pub(super) fn wrong() -> Vec<&'static str> {
            let mut found = Vec::new();
            $(if $key.default().is_none() || !stringify!($key).eq_ignore_ascii_case($key.name()) {
                found.push($key.name());
            })*
            found
        }
    };
}
pub(super) use table;
