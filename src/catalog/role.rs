//! `roles/NAME/role.yml`: a list of resources with tags, conditions and loops over the model's values.

use crate::source::{Diagnostic, Node, Sources, Span, yaml};

/// A role.
#[derive(Clone, Debug)]
pub struct Role {
    pub name: String,
    /// One sentence for `catalog list`.
    pub about: String,
    pub resources: Vec<ResourceDecl>,
}

/// A resource as the role declares it: fields may hold templates.
#[derive(Clone, Debug)]
pub struct ResourceDecl {
    pub kind: String,
    pub span: Span,
    /// Unique within the role on a host; may hold a template when there is a loop.
    pub id: String,
    pub tags: Vec<String>,
    /// An expression; the resource is left out where it is false.
    pub when: Option<(String, Span)>,
    /// An expression that yields a list, and the name its items have in the fields.
    pub each: Option<(String, String, Span)>,
    pub fields: Vec<(String, Node)>,
}

/// Reads a role.
pub fn parse(
    sources: &mut Sources,
    path: &str,
    name: &str,
    text: &str,
) -> Result<Role, Vec<Diagnostic>> {
    let id = sources.add(format!("<embedded>/{path}"), text);
    let Some(root) = yaml::parse(sources, id)? else {
        return Err(vec![Diagnostic::error(
            "empty-role",
            format!("the role `{name}` is empty"),
        )]);
    };
    let about = root
        .get("about")
        .and_then(Node::as_str)
        .unwrap_or_default()
        .trim()
        .to_owned();
    let mut resources = Vec::new();
    let mut problems = Vec::new();
    for item in root
        .get("resources")
        .and_then(Node::items)
        .unwrap_or_default()
    {
        match resource(item) {
            Ok(declared) => resources.push(declared),
            Err(problem) => problems.push(*problem),
        }
    }
    if problems.is_empty() {
        Ok(Role {
            name: name.to_owned(),
            about,
            resources,
        })
    } else {
        Err(problems)
    }
}

fn problem(span: Span, message: impl Into<String>) -> Box<Diagnostic> {
    Box::new(
        Diagnostic::error("bad-resource", message)
            .at(span, "here")
            .help("a resource is one mapping, as in `- file: { id: conf, path: /etc/x, template: x.j2 }`"),
    )
}

fn resource(item: &Node) -> Result<ResourceDecl, Box<Diagnostic>> {
    let entries: Vec<(&str, &Node)> = item.entries().map(Iterator::collect).unwrap_or_default();
    let [(kind, body)] = entries.as_slice() else {
        return Err(problem(
            item.span,
            "a resource must be a mapping with one key, its kind",
        ));
    };
    let fields: Vec<(&str, &Node)> = body.entries().map(Iterator::collect).unwrap_or_default();
    let text = |key: &str| {
        body.get(key)
            .and_then(|node| Some((node.as_str()?.to_owned(), node.span)))
    };
    let Some((id, _)) = text("id") else {
        return Err(problem(body.span, format!("this `{kind}` has no `id`")));
    };
    let alias = text("as").map_or_else(|| "item".to_owned(), |(alias, _)| alias);
    Ok(ResourceDecl {
        kind: (*kind).to_owned(),
        span: item.span,
        id,
        tags: tags(body),
        when: text("when"),
        each: text("each").map(|(expression, span)| (expression, alias, span)),
        fields: fields
            .into_iter()
            .filter(|(key, _)| !["id", "tags", "when", "each", "as"].contains(key))
            .map(|(key, node)| (key.to_owned(), node.clone()))
            .collect(),
    })
}

fn tags(body: &Node) -> Vec<String> {
    let items = body.get("tags").and_then(Node::items).unwrap_or_default();
    items
        .iter()
        .filter_map(Node::as_str)
        .map(str::to_owned)
        .collect()
}
