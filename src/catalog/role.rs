//! `roles/NAME/role.yml`: a list of resources with tags, conditions and loops over the model's values.

use super::layer::Asset;
use super::read;
use crate::source::{Diagnostic, Node, Sources, Span, yaml};

/// A role.
#[derive(Clone, Debug)]
pub struct CatalogRole {
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
    /// Each with the place of its key.
    pub fields: Vec<(String, Node)>,
    /// The keys of `fields`, for what is to be said of them.
    pub keys: Vec<Node>,
}

/// The code of all problems in roles.
const CODE: &str = "bad-resource";

/// Keys that every kind of resource has.
const COMMON: [&str; 5] = ["id", "tags", "when", "each", "as"];

/// Reads a role.
pub fn parse(
    sources: &mut Sources,
    path: &str,
    name: &str,
    asset: &Asset,
) -> Result<CatalogRole, Vec<Diagnostic>> {
    let id = read::add(sources, path, asset);
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
    let mut problems = read::unknown_keys(&root, CODE, "a role", &["about", "resources"]);
    let items = read::list(&root, CODE, "resources").map_err(|problem| vec![*problem])?;
    for item in items {
        match resource(item) {
            Ok(declared) => resources.push(declared),
            Err(problem) => problems.push(*problem),
        }
    }
    if problems.is_empty() {
        Ok(CatalogRole {
            name: name.to_owned(),
            about,
            resources,
        })
    } else {
        Err(problems)
    }
}

fn problem(span: Span, message: impl Into<String>) -> Box<Diagnostic> {
    Box::new(Diagnostic::error(CODE, message).at(span, "here").help(
        "a resource is one mapping, as in `- file: { id: conf, path: /etc/x, template: x.j2 }`",
    ))
}

fn resource(item: &Node) -> Result<ResourceDecl, Box<Diagnostic>> {
    let entries: Vec<(&str, &Node)> = item.entries().map(Iterator::collect).unwrap_or_default();
    let [(kind, body)] = entries.as_slice() else {
        return Err(problem(
            item.span,
            "a resource must be a mapping with one key, its kind",
        ));
    };
    let text = |key: &str| {
        let found = read::text(body, CODE, key)?;
        Ok::<_, Box<Diagnostic>>(found.map(|(text, node)| (text.to_owned(), node.span)))
    };
    let Some((id, _)) = text("id")? else {
        return Err(problem(body.span, format!("this `{kind}` has no `id`")));
    };
    let alias = text("as")?.map_or_else(|| "item".to_owned(), |(alias, _)| alias);
    let own = body.pairs().unwrap_or_default().iter();
    let own = own.filter(|(key, _)| !COMMON.contains(&key.as_str().unwrap_or_default()));
    let (keys, fields): (Vec<Node>, Vec<_>) = own
        .cloned()
        .map(|(key, value)| {
            let name = key.as_str().unwrap_or_default().to_owned();
            (key, (name, value))
        })
        .unzip();
    Ok(ResourceDecl {
        kind: (*kind).to_owned(),
        span: item.span,
        id,
        tags: tags(body)?,
        when: text("when")?,
        each: text("each")?.map(|(expression, span)| (expression, alias, span)),
        fields,
        keys,
    })
}

fn tags(body: &Node) -> Result<Vec<String>, Box<Diagnostic>> {
    let tags = read::texts(body, CODE, "tags")?;
    Ok(tags.into_iter().map(|(tag, _)| tag.to_owned()).collect())
}
