//! Safeguards: parameters that forbid a removal, each shown where it was written.

use crate::catalog::Removal;
use crate::model::Model;
use crate::names::HostName;
use crate::source::{Diagnostic, Sources, Span};
use std::collections::{BTreeMap, BTreeSet};

/// What forbids to take these hosts out; one problem for each place.
pub fn safeguarded(
    (model, sources): (&Model, &Sources),
    hosts: &BTreeSet<HostName>,
    what: Removal,
) -> Vec<Diagnostic> {
    let parameters: &[&str] = match what {
        Removal::Pgsql => &["pg_safeguard"],
        Removal::Etcd => &["etcd_safeguard"],
        Removal::Node => &[],
    };
    let found = parameters
        .iter()
        .flat_map(|name| protected((model, sources), hosts, name));
    found.collect()
}

fn protected(
    (model, sources): (&Model, &Sources),
    hosts: &BTreeSet<HostName>,
    name: &str,
) -> Vec<Diagnostic> {
    let mut places = BTreeMap::<String, (Span, Vec<&str>)>::new();
    for host in hosts.iter().filter_map(|host| model.hosts.get(host)) {
        let typed = host.typed();
        if let (true, Some(span)) = (typed.bool(name), typed.place(name)) {
            let place = places
                .entry(sources.place(span).to_string())
                .or_insert((span, Vec::new()));
            place.1.push(host.name.as_str());
        }
    }
    let problem = |(span, hosts): (Span, Vec<&str>)| {
        let message = format!("`{name}` forbids to remove {}", hosts.join(", "));
        Diagnostic::error("safeguard", message)
            .at(span, "switched on here")
            .help(format!(
                "nothing was changed; `-e {name}=false` lifts it for one run"
            ))
    };
    places.into_values().map(problem).collect()
}
