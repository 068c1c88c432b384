//! Why a value that changes nothing has no effect.

use super::leaves::ValueLeaf;
use super::{Input, Picture, Refused, candidates, known, place};
use crate::inventory::parameters::{self, Module, Param, ParamKind, Support};
use crate::inventory::{Edit, InvHost};
use crate::model::Host;
use crate::names::HostName;
use crate::source::Span;
use std::collections::BTreeMap;

/// Pictures with a switch turned the other way, each drawn once.
#[derive(Debug, Default)]
pub(super) struct Switches(BTreeMap<String, Result<Picture, Refused>>);

/// The sentence that names it, if there is one.
pub(super) fn named(
    input: &Input<'_>,
    leaf: &ValueLeaf,
    base: &Picture,
    switches: &mut Switches,
) -> Option<String> {
    if leaf.node.kind() == "null" {
        return Some("nothing is said here: the default counts".to_owned());
    }
    if leaf.node.as_str().is_none() {
        return Some("nothing is listed here, as by default".to_owned());
    }
    let param = parameters::lookup(&leaf.variable);
    let known = match param {
        None => Some(unknown(&leaf.variable)),
        Some(param) => of_support(param),
    };
    known
        .or_else(|| hidden(input, leaf))
        .or_else(|| beside(input, leaf))
        .or_else(|| alone(input, leaf))
        .or_else(|| said(input, leaf))
        .or_else(|| only(param?))
        .or_else(|| elsewhere(param?, input, leaf, base))
        .or_else(|| switched(param?, input, leaf, switches))
        .or_else(|| known::circumstance(&leaf.variable).map(str::to_owned))
}

fn unknown(name: &str) -> String {
    match parameters::is_noted(name) {
        Some(module) => format!("a parameter of `{module}`, which citusctl does not have"),
        None => "a variable of your own: nothing refers to it".to_owned(),
    }
}

fn of_support(param: &Param) -> Option<String> {
    match param.support {
        Support::Used => None,
        Support::Planned => Some("a later version acts on it".to_owned()),
        Support::Legacy(now) => Some(format!("an older form: {now}")),
        Support::Ignored if param.doc.contains("no meaning") => Some(param.doc.to_owned()),
        Support::Ignored => Some(format!("no meaning here: {}", param.doc)),
    }
}

/// Hosts for which this very value counts.
fn seers<'a>(input: &'a Input<'_>, leaf: &ValueLeaf) -> Vec<&'a InvHost> {
    let holds = |outer: Span| {
        outer.source == leaf.at.source && outer.start <= leaf.at.start && leaf.at.end <= outer.end
    };
    let sees = |host: &&InvHost| {
        let var = host.vars.get(&leaf.variable);
        var.is_some_and(|var| holds(var.node.span))
    };
    input.inventory.hosts.values().filter(sees).collect()
}

fn hidden(input: &Input<'_>, leaf: &ValueLeaf) -> Option<String> {
    if !seers(input, leaf).is_empty() {
        return None;
    }
    let mut others = input.inventory.hosts.values();
    let other = others.find_map(|host| host.vars.get(&leaf.variable));
    Some(match other {
        Some(var) => format!(
            "hidden: a stronger value counts on every host, as that of {}",
            input.inventory.sources.place(var.node.span)
        ),
        None => "no host is in this group".to_owned(),
    })
}

/// Another parameter that hides it on every host that has it.
fn beside(input: &Input<'_>, leaf: &ValueLeaf) -> Option<String> {
    let stronger = known::stronger(&leaf.variable)?;
    let mut seers = seers(input, leaf).into_iter();
    let hidden = seers.all(|host| host.vars.contains(stronger));
    hidden.then(|| format!("hidden: `{stronger}` is stronger"))
}

/// A parameter that it needs is given on no host that has it.
fn alone(input: &Input<'_>, leaf: &ValueLeaf) -> Option<String> {
    let needed = known::needs(&leaf.variable)?;
    let mut seers = seers(input, leaf).into_iter();
    let without = seers.all(|host| !host.vars.contains(needed));
    without.then(|| format!("it needs `{needed}`, which is not given"))
}

/// There is but one value to choose from.
fn only(param: &Param) -> Option<String> {
    match param.kind {
        ParamKind::OneOf([word]) => Some(format!("`{word}` is the only value there is")),
        _ => None,
    }
}

/// What `check` says of it, where that is about its effect.
fn said(input: &Input<'_>, leaf: &ValueLeaf) -> Option<String> {
    let about = |span: Span| {
        span.source == leaf.at.source && span.start <= leaf.at.end && leaf.at.start <= span.end
    };
    let words = ["effect", "ignored", "not read", "counts"];
    let found = input.said.iter().find(|said| {
        let near = said.labels.iter().any(|label| about(label.span));
        let texts = said
            .labels
            .iter()
            .map(|label| &label.text)
            .chain(&said.help);
        let mut texts = texts.chain([&said.message]);
        near && texts.any(|text| words.iter().any(|word| text.contains(word)))
    });
    found.map(|said| said.message.clone())
}

/// A parameter of something that stands on none of its hosts.
fn elsewhere(param: &Param, input: &Input<'_>, leaf: &ValueLeaf, base: &Picture) -> Option<String> {
    let (stands, what): (fn(&Host) -> bool, _) = match param.module {
        Module::Pgsql | Module::Access | Module::Pgbouncer | Module::Backup => {
            (|host| host.pg.is_some(), "PostgreSQL")
        }
        Module::Etcd => (|host| host.etcd.is_some(), "a member of etcd"),
        Module::Haproxy => (|host| host.haproxy, "HAProxy"),
        Module::Ansible | Module::Ca | Module::Node | Module::NodeVip => return None,
        Module::Removal | Module::Citusctl => return None,
    };
    let host = |name: &HostName| base.model.hosts.get(name);
    let seers = seers(input, leaf);
    let any = seers.iter().filter_map(|inv| host(&inv.name)).any(stands);
    (!any).then(|| format!("none of its hosts has {what}"))
}

/// A switch that keeps it from acting, found by turning it.
fn switched(
    param: &Param,
    input: &Input<'_>,
    leaf: &ValueLeaf,
    switches: &mut Switches,
) -> Option<String> {
    let of_module = |switch: &&Param| {
        let near = switch.module == param.module || switch.name == "pg_version";
        near && switch.name != param.name
    };
    for switch in parameters::all()
        .filter(of_module)
        .filter(|one| one.support == Support::Used)
    {
        for turned in turns(input, switch) {
            let argument = format!("{}={turned}", switch.name);
            if acts_with(input, leaf, switches, &argument) {
                return Some(format!("it needs `{}: {turned}`", switch.name));
            }
        }
    }
    None
}

/// The other positions of a switch.
fn turns(input: &Input<'_>, switch: &Param) -> Vec<String> {
    let typed = |host: &InvHost| parameters::Typed::new(&host.vars).json(switch.name);
    let now: Vec<_> = input.inventory.hosts.values().map(typed).collect();
    match switch.kind {
        ParamKind::Bool => [true, false]
            .into_iter()
            .filter(|turn| now.iter().all(|now| now.as_bool() != Some(*turn)))
            .map(|turn| turn.to_string())
            .collect(),
        _ if switch.name == "pg_version" => VERSIONS.map(str::to_owned).to_vec(),
        _ => Vec::new(),
    }
}

/// Versions of PostgreSQL by which it matters whether a setting is there.
const VERSIONS: [&str; 2] = ["18", "15"];

fn acts_with(input: &Input<'_>, leaf: &ValueLeaf, switches: &mut Switches, argument: &str) -> bool {
    let extra = [argument.to_owned()];
    let drawn = switches.0.entry(argument.to_owned());
    let Ok(base) = drawn.or_insert_with(|| (input.draw)(Vec::new(), &extra)) else {
        return false;
    };
    candidates::of(leaf).into_iter().any(|to| {
        let edit = Edit { at: leaf.at, to };
        let other = (input.draw)(vec![edit], &extra);
        other.is_ok_and(|other| !place::differing(base, &other).is_empty())
    })
}
