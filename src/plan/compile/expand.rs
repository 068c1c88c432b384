//! The resources of roles on one host or group: conditions decided, loops unrolled, templates rendered.

use super::Compiler;
use crate::catalog::{ResourceDecl, StageDecl};
use crate::names::{ResourceId, RoleName, Tag};
use crate::source::{Data, Diagnostic, Diagnostics, Node, Span};
use crate::template::{Context, FIELDS, Rendered, SECRET_MARK, TemplateError};
use serde_json::{Map, Value};
use std::collections::BTreeSet;

type Problem = Box<Diagnostic>;

pub(super) type Expanded<'c> = (ResourceId, String, Value, BTreeSet<Tag>, &'c ResourceDecl);

impl Compiler<'_> {
    /// All resources of a stage's roles for one context.
    pub(super) fn expand<'c>(
        &'c self,
        stage: &StageDecl,
        context: &Context,
        problems: &mut Diagnostics,
    ) -> Vec<Expanded<'c>> {
        let mut all = Vec::new();
        let mut seen = BTreeSet::new();
        for (name, _) in &stage.roles {
            let Some(role) = self.catalog.roles.get(name) else {
                continue;
            };
            for decl in &role.resources {
                match self.declaration(name, decl, context) {
                    Ok(found) => all.extend(found),
                    Err(problem) => problems.push(*problem),
                }
            }
        }
        for (id, _, _, _, decl) in &all {
            if !seen.insert(id.clone()) {
                problems.push(
                    Diagnostic::error(
                        "duplicate-resource",
                        format!("two resources are called `{id}`"),
                    )
                    .at(decl.span, "the second"),
                );
            }
        }
        all
    }

    fn declaration<'c>(
        &self,
        role: &RoleName,
        decl: &'c ResourceDecl,
        context: &Context,
    ) -> Result<Vec<Expanded<'c>>, Problem> {
        let mut expanded = Vec::new();
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
            expanded.push((
                ResourceId::new(format!("{role}/{local}")),
                decl.kind.clone(),
                fields,
                tags,
                decl,
            ));
        }
        Ok(expanded)
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
            if key == "template" {
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
