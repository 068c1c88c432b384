//! The resources of roles on one host or group: conditions decided, loops unrolled, templates rendered.

use super::Compiler;
use super::memo::Memo;
use crate::catalog::{ResourceDecl, StageDecl};
use crate::names::{ResourceId, RoleName, Tag};
use crate::resource::SpecError;
use crate::source::{Data, Diagnostic, Diagnostics, Node, Span};
use crate::template::{Context, FIELDS, Rendered, SECRET_MARK, TemplateError};
use serde_json::{Map, Value};
use std::collections::BTreeSet;

type Problem = Box<Diagnostic>;

/// One resource of a declaration, its fields rendered.
pub(super) struct Expanded {
    pub(super) id: ResourceId,
    pub(super) fields: Value,
    pub(super) tags: BTreeSet<Tag>,
}

/// What declarations come to: resources of hosts, or of groups.
pub(super) trait Declares: Clone {
    fn of(kind: &str, expanded: Expanded) -> Result<Self, SpecError>;
    fn id(&self) -> &ResourceId;
}

impl Compiler<'_> {
    /// All resources of a stage's roles for one context.
    pub(super) fn expand<T: Declares>(
        &self,
        stage: &StageDecl,
        context: &Context,
        memo: &mut Memo<T>,
        problems: &mut Diagnostics,
    ) -> Vec<T> {
        let mut all: Vec<(T, &ResourceDecl)> = Vec::new();
        for (name, _) in &stage.roles {
            let Some(role) = self.catalog.roles.get(name) else {
                continue;
            };
            for decl in &role.resources {
                let made = memo.get(decl, context, |context| {
                    self.declaration(name, decl, context)
                });
                match made {
                    Ok(made) => all.extend(made.into_iter().map(|one| (one, decl))),
                    Err(problem) => problems.push(*problem),
                }
            }
        }
        let mut seen = BTreeSet::new();
        for (one, decl) in &all {
            if !seen.insert(one.id()) {
                problems.push(
                    Diagnostic::error(
                        "duplicate-resource",
                        format!("two resources are called `{}`", one.id()),
                    )
                    .at(decl.span, "the second"),
                );
            }
        }
        all.into_iter().map(|(one, _)| one).collect()
    }

    fn declaration<T: Declares>(
        &self,
        role: &RoleName,
        decl: &ResourceDecl,
        context: &Context,
    ) -> Result<Vec<T>, Problem> {
        let mut made = Vec::new();
        for context in self.each(decl, context)? {
            if let Some((expression, span)) = &decl.when {
                let value = self
                    .templates
                    .evaluate(expression, &context)
                    .map_err(|e| self.located(e, *span))?;
                if !truthy(&value) {
                    continue;
                }
            }
            let fields = self.fields(role, decl, &context)?;
            let local = self.text(&decl.id, decl, &context)?;
            let mut tags: BTreeSet<Tag> = decl.tags.iter().map(Tag::new).collect();
            tags.insert(Tag::new(role.as_str()));
            let expanded = Expanded {
                id: ResourceId::new(format!("{role}/{local}")),
                fields,
                tags,
            };
            let one = T::of(&decl.kind, expanded).map_err(|error| bad_fields(decl, &error))?;
            made.push(one);
        }
        Ok(made)
    }

    /// One context for each turn of the loop, or the context itself.
    fn each(&self, decl: &ResourceDecl, context: &Context) -> Result<Vec<Context>, Problem> {
        let Some((expression, name, span)) = &decl.each else {
            return Ok(vec![context.clone()]);
        };
        let items = self
            .templates
            .evaluate(expression, context)
            .map_err(|e| self.located(e, *span))?;
        let Value::Array(items) = items else {
            return Err(Box::new(
                Diagnostic::error("bad-loop", format!("`{expression}` is not a list"))
                    .at(*span, "here"),
            ));
        };
        Ok(items.iter().map(|item| context.with(name, item)).collect())
    }

    fn fields(
        &self,
        role: &RoleName,
        decl: &ResourceDecl,
        context: &Context,
    ) -> Result<Value, Problem> {
        let mut fields = Map::new();
        for (key, node) in &decl.fields {
            let value = self.value(node, decl, context)?;
            if key == "drift" {
                let name = value.as_str().unwrap_or_default();
                let rendered = self.template(role, name, decl, context)?;
                fields.insert(key.clone(), Value::from(rendered.text));
            } else if key == "template" {
                let rendered =
                    self.template(role, value.as_str().unwrap_or_default(), decl, context)?;
                let field = match decl.kind.as_str() {
                    "command" => "run",
                    "unit" => "first",
                    _ => "content",
                };
                if decl.kind == "file" && rendered.sensitive {
                    match rendered.shown {
                        Some(shown) => fields.insert("shown".to_owned(), Value::from(shown)),
                        None => fields.insert("sensitive".to_owned(), Value::from(true)),
                    };
                }
                fields.insert(field.to_owned(), Value::from(rendered.text));
            } else {
                fields.insert(key.clone(), value);
            }
        }
        Ok(Value::Object(fields))
    }

    fn template(
        &self,
        role: &RoleName,
        name: &str,
        decl: &ResourceDecl,
        context: &Context,
    ) -> Result<Rendered, Problem> {
        let own = format!("roles/{role}/templates/{name}");
        let path = if self.catalog.assets.get(&own).is_some() {
            own
        } else {
            format!("templates/{name}")
        };
        self.templates
            .render(&path, context)
            .map_err(|e| self.located(e, decl.span))
    }

    /// Renders a field. A text that is one expression as a whole keeps the expression's type.
    fn value(&self, node: &Node, decl: &ResourceDecl, context: &Context) -> Result<Value, Problem> {
        match &node.data {
            Data::Seq(items) => {
                let items: Result<Vec<Value>, Problem> = items
                    .iter()
                    .map(|item| self.value(item, decl, context))
                    .collect();
                Ok(Value::Array(items?))
            }
            Data::Map(entries) => {
                let mut map = Map::new();
                for (key, value) in entries {
                    map.insert(
                        key.as_str().unwrap_or_default().to_owned(),
                        self.value(value, decl, context)?,
                    );
                }
                Ok(Value::Object(map))
            }
            Data::Scalar { text, .. } if text.contains("{{") || text.contains("{%") => {
                match lone_expression(text) {
                    Some(expression) => self
                        .templates
                        .evaluate(expression, context)
                        .map(unmark)
                        .map_err(|e| self.located(e, node.span)),
                    None => self.text(text, decl, context).map(Value::from),
                }
            }
            Data::Scalar { .. } => Ok(node.to_json()),
        }
    }

    fn text(&self, text: &str, decl: &ResourceDecl, context: &Context) -> Result<String, Problem> {
        if !text.contains("{{") && !text.contains("{%") {
            return Ok(text.to_owned());
        }
        let rendered = self.templates.render_text(FIELDS, text, context);
        rendered
            .map(|rendered| rendered.text)
            .map_err(|e| self.located(e, decl.span))
    }

    fn located(&self, error: TemplateError, span: Span) -> Problem {
        let mut diagnostic =
            Diagnostic::error("template", error.to_string()).at(span, "needed here");
        if let Some(help) = error.help() {
            diagnostic = diagnostic.help(help);
        }
        Box::new(diagnostic)
    }
}

fn bad_fields(decl: &ResourceDecl, error: &SpecError) -> Problem {
    let problem = Diagnostic::error("bad-resource", error.to_string());
    Box::new(problem.at(decl.span, "in this resource"))
}

fn lone_expression(text: &str) -> Option<&str> {
    let inner = text.trim().strip_prefix("{{")?.strip_suffix("}}")?;
    (!inner.contains("{{") && !inner.contains("{%")).then(|| inner.trim())
}

/// A secret that an expression yields, as its text.
fn unmark(value: Value) -> Value {
    match value.get(SECRET_MARK) {
        Some(text) => text.clone(),
        None => value,
    }
}

fn truthy(value: &Value) -> bool {
    match value {
        Value::Null => false,
        Value::Bool(value) => *value,
        Value::Number(number) => number.as_f64() != Some(0.0),
        Value::String(text) => !text.is_empty(),
        Value::Array(items) => !items.is_empty(),
        Value::Object(map) => !map.is_empty(),
    }
}
