//! Templates: Jinja2 as Ansible reads it, rendered by minijinja.
//!
//! Knows texts, contexts and filters; knows nothing of roles, hosts or files. A template sees what
//! it is given and nothing else: no lookups, no clock, no randomness, so that a rendering can be
//! repeated and compared.

mod context;
mod error;
mod filters;

pub use context::{Context, Reads, SECRET_MARK, Shared, secret};
pub use error::TemplateError;

use context::Marks;
use minijinja::value::ValueKind;
use minijinja::{
    AutoEscape, Environment, Error, ErrorKind, Output, State, UndefinedBehavior, Value,
};
use std::collections::BTreeMap;
use std::sync::Arc;

/// Instructions one rendering may take: a loop that never ends is an error, not a hang.
const FUEL: u64 = 5_000_000;

/// The name under which fields of roles are rendered: they are values, not lines of files.
pub const FIELDS: &str = "role.yml";

/// The rule that values follow in all other templates: a value that is printed cannot end the line it stands on.
const LINES: &str = "lines";

/// A rendered template.
#[derive(Clone, PartialEq, Eq)]
pub struct Rendered {
    pub text: String,
    /// The template read a secret: the text itself is not shown.
    pub sensitive: bool,
    /// The text with the mask in the place of every secret, where there are any.
    pub shown: Option<String>,
}

impl std::fmt::Debug for Rendered {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let text = if self.sensitive { "***" } else { &self.text };
        f.debug_struct("Rendered")
            .field("text", &text)
            .field("sensitive", &self.sensitive)
            .finish()
    }
}

/// All templates of a run by name, and the rules they are rendered by.
#[derive(Debug)]
pub struct Engine {
    env: Environment<'static>,
    names: Vec<String>,
}

impl Engine {
    /// Takes templates as `(name, text)`. A later one replaces an earlier one of the same name.
    ///
    /// Nothing is parsed yet: a broken template is reported by [`Engine::render`] or
    /// [`Engine::check`].
    pub fn new(files: impl IntoIterator<Item = (String, String)>) -> Self {
        let texts: BTreeMap<String, String> = files.into_iter().collect();
        let names = texts.keys().cloned().collect();
        let texts = Arc::new(texts);
        let mut env = environment();
        env.set_loader(move |name| Ok(texts.get(name).cloned()));
        Self { env, names }
    }

    /// The names of all templates, sorted.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.names.iter().map(String::as_str)
    }

    /// Renders one template.
    ///
    /// # Errors
    /// The template is unknown or broken, reads a variable that is not there, or a filter refuses
    /// its input. Places are those of the template that failed, which may be an included one.
    pub fn render(&self, name: &str, context: &Context) -> Result<Rendered, TemplateError> {
        self.render_with(self.env.get_template(name), name, context)
    }

    /// Renders a text that is no file: a value of the inventory with `{{ ... }}` in it. `name` says
    /// in errors where it stands.
    ///
    /// # Errors
    /// As [`Engine::render`].
    pub fn render_text(
        &self,
        name: &str,
        text: &str,
        context: &Context,
    ) -> Result<Rendered, TemplateError> {
        self.render_with(self.env.template_from_named_str(name, text), name, context)
    }

    /// The value of an expression, as in a role's `when:`. Marked secrets in it stay marked.
    ///
    /// # Errors
    /// As [`Engine::render`].
    pub fn evaluate(
        &self,
        expression: &str,
        context: &Context,
    ) -> Result<serde_json::Value, TemplateError> {
        let fail = |error| TemplateError::from_expression(expression, error);
        let (context, _) = context::watch(context, Marks::Kept);
        let compiled = self.env.compile_expression(expression).map_err(fail)?;
        let value = compiled.eval(context).map_err(fail)?;
        if value.is_undefined() {
            let cause = Error::new(ErrorKind::UndefinedError, "undefined value");
            return Err(fail(cause));
        }
        serde_json::to_value(&value)
            .map_err(|e| fail(Error::new(ErrorKind::BadSerialization, e.to_string())))
    }

    /// Parses every template and reports all that are broken.
    pub fn check(&self) -> Vec<TemplateError> {
        let mut broken = Vec::new();
        for name in &self.names {
            if let Err(error) = self.env.get_template(name) {
                broken.push(TemplateError::new(name, error));
            }
        }
        broken
    }

    fn render_with(
        &self,
        template: Result<minijinja::Template<'_, '_>, Error>,
        name: &str,
        context: &Context,
    ) -> Result<Rendered, TemplateError> {
        let fail = |error| TemplateError::new(name, error);
        let template = template.map_err(fail)?;
        let (opened, sensitive) = context::watch(context, Marks::Opened);
        let text = template.render(opened).map_err(fail)?;
        let hidden = || {
            // Rendered again and not masked by value afterwards: what filters made of a secret (quoted, in base64, a verifier)
            // cannot be found in the text. A template that cannot do without its secrets is not shown at all.
            let (hidden, _) = context::watch(context, Marks::Hidden);
            template.render(hidden).ok()
        };
        Ok(Rendered {
            text,
            sensitive: sensitive.seen(),
            shown: sensitive.seen().then(hidden).flatten(),
        })
    }
}

/// The settings that make minijinja print what Ansible's Jinja2 prints.
fn environment() -> Environment<'static> {
    let mut env = Environment::new();
    let syntax = minijinja::syntax::SyntaxConfig::builder()
        .trim_blocks(true)
        .keep_trailing_newline(true)
        .build();
    // Only delimiters can be refused, and these are the defaults.
    if let Ok(syntax) = syntax {
        env.set_syntax(syntax);
    }
    env.set_undefined_behavior(UndefinedBehavior::Strict);
    // What macros, `yaml_child` and `to_nice_json` make may have lines; what a value holds may not. Fields of roles are no
    // lines of files.
    env.set_auto_escape_callback(|name| match name {
        FIELDS => AutoEscape::None,
        _ => AutoEscape::Custom(LINES.into()),
    });
    env.set_unknown_method_callback(minijinja_contrib::pycompat::unknown_method_callback);
    env.set_formatter(print_as_python);
    env.set_fuel(Some(FUEL));
    env.set_debug(true);
    filters::register(&mut env);
    env
}

/// Jinja2 prints Python's literals.
fn print_as_python(
    out: &mut Output<'_>,
    state: &mut State<'_, '_>,
    value: &Value,
) -> Result<(), Error> {
    let literal = match value.kind() {
        ValueKind::None => Some("None"),
        ValueKind::Bool if value.is_true() => Some("True"),
        ValueKind::Bool => Some("False"),
        ValueKind::Map | ValueKind::Seq | ValueKind::Iterable => {
            return Err(Error::new(
                ErrorKind::InvalidOperation,
                "a list or a mapping cannot be printed as it is: use `| to_json`, `| yaml` or `| join`",
            ));
        }
        _ => None,
    };
    match literal {
        Some(text) => out
            .write_str(text)
            .map_err(|_| Error::from(ErrorKind::WriteFailure)),
        None if matches!(state.auto_escape(), AutoEscape::None) => {
            minijinja::escape_formatter(out, state, value)
        }
        None => print_in_line(out, value),
    }
}

/// Prints a value where lines mean something: one that holds a line end could begin a line of its own, as a user of a
/// crontab or a section of HAProxy does. The catalogue of parameters refuses such values first, with their place.
fn print_in_line(out: &mut Output<'_>, value: &Value) -> Result<(), Error> {
    let text = value.to_string();
    let ends = |c: char| c != '\t' && (c.is_control() || matches!(c, '\u{2028}' | '\u{2029}'));
    if !value.is_safe() && text.contains(ends) {
        return Err(Error::new(
            ErrorKind::InvalidOperation,
            "a value with a line end or a control character cannot be printed on a line: `| safe` prints it as it is",
        ));
    }
    out.write_str(&text)
        .map_err(|_| Error::from(ErrorKind::WriteFailure))
}

#[cfg(test)]
mod tests;
