//! `catalog`: what is embedded, and every parameter.

use crate::app::Options;
use crate::app::failure::{Failure, chain, code, data, pretty, result};
use crate::app::project;
use crate::catalog::{Meaning, Origin, foreign_tags};
use crate::inventory::parameters::{self, DefaultValue, Module, Param, Support};
use clap::{Args, Subcommand};
use indexmap::IndexMap;
use std::collections::BTreeSet;
use std::path::PathBuf;

/// What of the catalog.
#[derive(Debug, Args)]
pub struct CatalogArgs {
    #[command(subcommand)]
    what: CatalogVerb,
}

#[derive(Debug, Subcommand)]
enum CatalogVerb {
    /// List roles with their tags, playbooks and files
    List,
    /// Print one file
    Show { path: String },
    /// Copy a file or a role to a directory for editing; use it with --catalog
    Eject {
        path: String,
        /// Target directory
        #[arg(short, long, default_value = ".")]
        dir: PathBuf,
    },
    /// List tags and what each selects, optionally filtered by NAME
    Tags { name: Option<String> },
    /// List parameters, optionally filtered by NAME
    Vars {
        name: Option<String>,
        /// Print as a Markdown table, as in docs/parameters.md
        #[arg(long)]
        markdown: bool,
    },
}

/// Runs it.
pub fn run(options: &Options, args: &CatalogArgs) -> Result<u8, Failure> {
    match &args.what {
        CatalogVerb::List => list(options)?,
        CatalogVerb::Show { path } => show(options, path)?,
        CatalogVerb::Eject { path, dir } => eject(options, path, dir)?,
        CatalogVerb::Tags { name } => tags(options, name.as_deref())?,
        CatalogVerb::Vars { name, markdown } => vars(options, name.as_deref(), *markdown)?,
    }
    Ok(code::DONE)
}

fn list(options: &Options) -> Result<(), Failure> {
    let (catalog, _) = project::catalog(options)?;
    let mut text = String::from("roles (tag: what else it answers to)\n");
    for (name, role) in &catalog.roles {
        let tags: BTreeSet<&str> = role
            .resources
            .iter()
            .flat_map(|r| r.tags.iter().map(String::as_str))
            .collect();
        text.push_str(&format!(
            "  {name:<10} {}\n             {}\n",
            role.about,
            tags.into_iter().collect::<Vec<_>>().join(" ")
        ));
    }
    text.push_str("playbooks\n");
    for (name, playbook) in &catalog.playbooks {
        let stages: Vec<&str> = playbook
            .stages
            .iter()
            .map(|stage| stage.name.as_str())
            .collect();
        text.push_str(&format!("  {name:<10} {}\n", stages.join(", ")));
    }
    text.push_str("files\n");
    for (path, asset) in catalog.assets.iter() {
        let origin = match &asset.origin {
            Origin::Embedded => "embedded".to_owned(),
            Origin::Path(path) => path.display().to_string(),
        };
        text.push_str(&format!("  {path}  ({origin})\n"));
    }
    result(&text)
}

/// Tags with the resources that they select, then those of Pigsty's that select nothing.
fn tags(options: &Options, name: Option<&str>) -> Result<(), Failure> {
    let (catalog, _) = project::catalog(options)?;
    let asked = |tag: &str| name.is_none_or(|name| tag.contains(name));
    let ours = catalog.tags();
    let ours: Vec<(&str, &Meaning)> = ours
        .iter()
        .map(|(tag, meaning)| (tag.as_str(), meaning))
        .filter(|(tag, _)| asked(tag))
        .collect();
    let others: Vec<(&str, String)> = foreign_tags()
        .filter(|(tag, _)| asked(tag))
        .map(|(tag, why)| (tag, why.words()))
        .collect();
    if ours.is_empty() && others.is_empty() {
        let asked = name.unwrap_or_default();
        return Err(
            Failure::new(code::USAGE, format!("no tag contains `{asked}`"))
                .hint("`citusctl catalog tags` shows all"),
        );
    }
    result(&match options.json {
        true => tags_json(&ours, &others)?,
        false => tags_text(&ours, &others),
    })
}

fn tags_json(ours: &[(&str, &Meaning)], others: &[(&str, String)]) -> Result<String, Failure> {
    let ours = ours
        .iter()
        .map(|(tag, meaning)| serde_json::json!({ "tag": tag, "selects": meaning.selects, "reacts": meaning.reacts }));
    let others = others.iter().map(
        |(tag, why)| serde_json::json!({ "tag": tag, "selects": [], "reacts": [], "why": why }),
    );
    let rows: Vec<_> = ours.chain(others).collect();
    pretty(&rows)
}

fn tags_text(ours: &[(&str, &Meaning)], others: &[(&str, String)]) -> String {
    let list =
        |ids: &BTreeSet<String>| ids.iter().map(String::as_str).collect::<Vec<_>>().join(" ");
    let mut text = String::new();
    for (tag, meaning) in ours {
        text.push_str(&format!("{tag:<22} {}\n", list(&meaning.selects)));
        if !meaning.reacts.is_empty() {
            text.push_str(&format!("{:<22} then {}\n", "", list(&meaning.reacts)));
        }
    }
    if !others.is_empty() {
        text.push_str("\nof Pigsty, and refused here\n");
    }
    for (tag, why) in others {
        text.push_str(&format!("{tag:<22} {why}\n"));
    }
    text
}

fn show(options: &Options, path: &str) -> Result<(), Failure> {
    let (catalog, _) = project::catalog(options)?;
    let asset = catalog.assets.get(path).ok_or_else(|| missing(path))?;
    data(&asset.text)?;
    Ok(())
}

fn missing(path: &str) -> Failure {
    Failure::new(
        code::USAGE,
        format!("there is no file `{path}` in the catalog"),
    )
    .hint("`citusctl catalog list` shows all")
}

fn eject(options: &Options, path: &str, dir: &std::path::Path) -> Result<(), Failure> {
    let (catalog, _) = project::catalog(options)?;
    let wanted: Vec<_> = catalog
        .assets
        .iter()
        .filter(|(p, _)| *p == path || p.starts_with(&format!("{path}/")))
        .collect();
    if wanted.is_empty() {
        return Err(missing(path));
    }
    for (path, asset) in wanted {
        let target = dir.join(path);
        if target.exists() {
            return Err(Failure::new(
                code::REFUSED,
                format!(
                    "{} is there already and is not overwritten",
                    target.display()
                ),
            ));
        }
        let parent = target.parent().unwrap_or(dir).to_owned();
        fs_err::create_dir_all(parent)
            .and_then(|()| fs_err::write(&target, &asset.text))
            .map_err(|error| Failure::new(code::INTERNAL, chain(&error)))?;
        result(&format!("{}\n", target.display()))?;
    }
    Ok(())
}

fn vars(options: &Options, name: Option<&str>, as_markdown: bool) -> Result<(), Failure> {
    let wanted =
        parameters::all().filter(|param| name.is_none_or(|name| param.name.contains(name)));
    if as_markdown {
        return result(&markdown(wanted));
    }
    if options.json {
        let rows: Vec<serde_json::Value> = wanted.map(json).collect();
        return result(&pretty(&rows)?);
    }
    for param in wanted {
        let note = note(param);
        result(&format!(
            "{:<32} {}{note}\n{:<32} {} = {}{}\n",
            param.name,
            param.doc,
            "",
            param.kind.words(),
            default(param),
            effect(param).map_or_else(String::new, |words| format!(
                "\n{:<32} a change: {words}",
                ""
            ))
        ))?;
    }
    Ok(())
}

/// What is to be known besides the meaning, with two spaces before it.
fn note(param: &Param) -> String {
    match param.support {
        Support::Used => String::new(),
        Support::Planned => "  [not acted on yet]".to_owned(),
        Support::Legacy(now) => format!("  [older: {now}]"),
        Support::Ignored => "  [accepted, no effect]".to_owned(),
    }
}

/// One table for each module, in the order of the catalogue.
fn markdown<'a>(params: impl Iterator<Item = &'a Param>) -> String {
    let mut modules: IndexMap<Module, Vec<&Param>> = IndexMap::new();
    for param in params {
        modules.entry(param.module).or_default().push(param);
    }
    let tables = modules.iter().map(|(module, params)| {
        let rows: String = params.iter().map(|param| row(param)).collect();
        let head = "| parameter | type | default | level | meaning | a change |\n|---|---|---|---|---|---|\n";
        format!("## {module:?}\n\n{head}{rows}")
    });
    tables.collect::<Vec<_>>().join("\n")
}

fn row(param: &Param) -> String {
    let line = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
    let cell = |text: &str| line(text).replace('|', "\\|");
    let default = match param.default {
        DefaultValue::None => String::new(),
        DefaultValue::Json(text) => format!("`{}`", cell(text)),
    };
    format!(
        "| `{}` | {} | {default} | {} | {}{} | {} |\n",
        param.name,
        cell(&param.kind.words()),
        param.level,
        cell(param.doc),
        cell(&note(param))
            .replacen('[', " *[", 1)
            .replace(']', "]*"),
        effect(param).unwrap_or_default(),
    )
}

/// What a change means on what runs already, where the parameter acts at all.
fn effect(param: &Param) -> Option<&'static str> {
    (param.support == Support::Used).then(|| param.effect.words())
}

fn default(param: &Param) -> &'static str {
    match param.default {
        DefaultValue::None => "(none)",
        DefaultValue::Json(text) => text,
    }
}

fn json(param: &Param) -> serde_json::Value {
    let default = match param.default {
        DefaultValue::None => serde_json::Value::Null,
        DefaultValue::Json(text) => serde_json::from_str(text).unwrap_or_default(),
    };
    serde_json::json!({
        "name": param.name, "type": param.kind.words(), "default": default, "doc": param.doc, "level": param.level,
        "acted_on": param.support == Support::Used, "change": effect(param),
    })
}
