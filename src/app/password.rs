//! `password rotate`: new passwords in the inventory, applied, and proved by logins.

use super::apply;
use super::failure::{Failure, chain, code, say};
use super::init;
use super::options::Options;
use super::project::Project;
use super::session::run_id::run_id;
use super::verify;
use crate::inventory::Inventory;
use crate::inventory::parameters::PASSWORDS;
use crate::model::Model;
use crate::names::HostName;
use crate::names::words::count;
use crate::source::{Node, Span};
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

/// New passwords in the inventory, applied, and proved by logins.
///
/// # Errors
/// Whatever stood in the way; where nothing was begun, the inventory is as before.
pub async fn rotate(options: &Options, names: &[String]) -> Result<u8, Failure> {
    everybody(options)?;
    let project = Project::open(options)?;
    let found = targets(&project.inventory, &project.model, names)?;
    let files = edited(&project.inventory, &found)?;
    let kept = keep(&project, &files)?;
    for (path, text) in &files {
        write(path, text)?;
    }
    say(&format!(
        "{} written; the files of before are in {}",
        count(found.len(), "new password"),
        kept.display()
    ));
    // The inventory is another one now.
    let (begun, result) = match Project::open(options) {
        Err(failure) => (false, Err(failure)),
        Ok(project) => {
            let ended = apply::site(options, &project).await;
            match ended.result {
                Ok(code::DONE) => return verify::logins_alone(options, &project).await,
                result => (ended.begun, result),
            }
        }
    };
    if begun {
        // What was begun has to be finished with the new ones.
        say(
            "not all of it was done, and the inventory holds the new passwords: mend what failed, then `citusctl apply`",
        );
    } else {
        put_back(&kept, &files)?;
        say("nothing was begun: the inventory is as before");
    }
    result
}

/// Who is left out would keep the old ones, and the inventory does not hold them any more.
fn everybody(options: &Options) -> Result<(), Failure> {
    let why = "passwords are changed everywhere: there is no part of it to choose";
    let hint = "leave out `-l`, `-t` and `--skip-tags`; name the passwords that are to change";
    options.undivided(why, hint)
}

/// A password at its place: of which parameter or role it is, and for which formations.
#[derive(Clone, Debug, PartialEq)]
struct PasswordPlace {
    label: String,
    formations: BTreeSet<String>,
}

/// The places of passwords that are written in clear, and whose they are.
fn targets(
    inventory: &Inventory,
    model: &Model,
    names: &[String],
) -> Result<BTreeMap<Span, PasswordPlace>, Failure> {
    let mut found = BTreeMap::<Span, PasswordPlace>::new();
    let mut closed = BTreeMap::new();
    for (host, label, node) in all(inventory) {
        if !names.is_empty() && !names.contains(&label) {
            continue;
        }
        if !is_clear(inventory, &node) {
            closed.insert(node.span, label);
            continue;
        }
        let formation = formation(model, &host, &label);
        let target = found.entry(node.span).or_insert_with(|| PasswordPlace {
            label,
            formations: BTreeSet::new(),
        });
        target.formations.insert(formation);
    }
    changeable(inventory, names, &found, &closed)?;
    match found.is_empty() {
        false => Ok(found),
        true => Err(Failure::new(
            code::INPUT,
            "the inventory holds no password in clear",
        )),
    }
}

/// All that were named are there, in clear.
fn changeable(
    inventory: &Inventory,
    names: &[String],
    found: &BTreeMap<Span, PasswordPlace>,
    closed: &BTreeMap<Span, String>,
) -> Result<(), Failure> {
    let open = found.values().map(|target| &target.label);
    let labels: BTreeSet<&String> = open.chain(closed.values()).collect();
    if let Some(name) = names.iter().find(|name| !labels.contains(name)) {
        let words = format!("the inventory holds no password of `{name}`");
        return Err(Failure::new(code::USAGE, words)
            .hint("a parameter, as `pg_admin_password`, or a role of `pg_users`"));
    }
    if let (Some((span, label)), false) = (closed.first_key_value(), names.is_empty()) {
        let place = inventory.sources.place(*span);
        let words = format!("{place}: `{label}` is not written there in clear");
        return Err(Failure::new(code::INPUT, words)
            .hint("change it where it comes from, then `citusctl apply`"));
    }
    Ok(())
}

/// For which formation a host has a password. etcd is one for all of them.
fn formation(model: &Model, host: &HostName, label: &str) -> String {
    let own = model
        .group_on(host)
        .filter(|_| label != "etcd_root_password");
    own.map(|(formation, _)| formation.name.to_string())
        .unwrap_or_default()
}

/// All passwords of all hosts, by the name of the parameter or the role.
fn all(inventory: &Inventory) -> Vec<(HostName, String, Node)> {
    let mut all = Vec::new();
    for host in inventory.hosts.values() {
        let named = |name: &str, node: &Node| (host.name.clone(), name.to_owned(), node.clone());
        let own = PASSWORDS.iter().filter_map(|name| {
            let node = &host.vars.get(name)?.node;
            Some(named(name, node))
        });
        all.extend(own);
        let users = host.vars.get("pg_users").and_then(|var| var.node.items());
        all.extend(users.into_iter().flatten().filter_map(|user| {
            let name = user.get("name")?.as_str()?;
            let password = user.get("password")?;
            let verifier =
                |text: &str| text.starts_with("SCRAM-SHA-256$") || text.starts_with("md5");
            (!password.as_str().is_none_or(verifier)).then(|| named(name, password))
        }));
    }
    all
}

/// A text that stands where it is, in a file of its own right: no alias, nothing encrypted or looked up.
fn is_clear(inventory: &Inventory, node: &Node) -> bool {
    let source = inventory.sources.get(node.span.source);
    let written = inventory.sources.slice(node.span);
    let looked_up = written.starts_with(['*', '!', '&', '|', '>']) || written.contains("{{");
    !source.hidden && Path::new(&source.name).is_file() && !looked_up && !written.is_empty()
}

/// Which places hold one password: of one name, for a formation in options. What is written for a formation at several places stays
/// one, and formations that share no place get passwords of their own.
fn together(found: &BTreeMap<Span, PasswordPlace>) -> BTreeMap<Span, usize> {
    let mut groups: Vec<(PasswordPlace, Vec<Span>)> = Vec::new();
    for (span, target) in found {
        let meets = |group: &PasswordPlace| {
            group.label == target.label && !group.formations.is_disjoint(&target.formations)
        };
        let (met, mut rest): (Vec<_>, Vec<_>) =
            groups.into_iter().partition(|(group, _)| meets(group));
        let mut one = (target.clone(), vec![*span]);
        for (group, spans) in met {
            one.0.formations.extend(group.formations);
            one.1.extend(spans);
        }
        rest.push(one);
        groups = rest;
    }
    let numbered = groups.into_iter().enumerate();
    numbered
        .flat_map(|(number, (_, spans))| spans.into_iter().map(move |span| (span, number)))
        .collect()
}

/// The texts of all files that change, each password with one of its own.
fn edited(
    inventory: &Inventory,
    found: &BTreeMap<Span, PasswordPlace>,
) -> Result<BTreeMap<PathBuf, String>, Failure> {
    let mut files = BTreeMap::new();
    let mut fresh = BTreeMap::<usize, String>::new();
    let groups = together(found);
    // From the end, so that places in front of it stay where they are.
    for (span, _) in found.iter().rev() {
        let group = groups.get(span).copied().unwrap_or_default();
        let password = match fresh.get(&group) {
            Some(password) => password.clone(),
            None => init::password()?,
        };
        fresh.insert(group, password.clone());
        let source = inventory.sources.get(span.source);
        let text = files
            .entry(PathBuf::from(&source.name))
            .or_insert_with(|| source.text.to_string());
        text.replace_range(span.start..span.end, &password);
    }
    Ok(files)
}

/// Copies of the files as they are, for their owner only.
fn keep(project: &Project, files: &BTreeMap<PathBuf, String>) -> Result<PathBuf, Failure> {
    let kept = project.state_dir.join("retired").join(run_id().as_str());
    for path in files.keys() {
        let copy = kept.join(path.strip_prefix("/").unwrap_or(path));
        let dir = copy.parent().unwrap_or(&kept);
        fs_err::create_dir_all(dir).map_err(|error| failed(&error))?;
        let text = fs_err::read_to_string(path).map_err(|error| failed(&error))?;
        init::write(&copy, &text)?;
    }
    Ok(kept)
}

fn put_back(kept: &Path, files: &BTreeMap<PathBuf, String>) -> Result<(), Failure> {
    for path in files.keys() {
        let copy = kept.join(path.strip_prefix("/").unwrap_or(path));
        let text = fs_err::read_to_string(copy).map_err(|error| failed(&error))?;
        write(path, &text)?;
    }
    Ok(())
}

/// Whole, with the mode that the file has.
fn write(path: &Path, text: &str) -> Result<(), Failure> {
    let mode = fs_err::metadata(path)
        .map_err(|error| failed(&error))?
        .permissions();
    let dir = path.parent().filter(|dir| !dir.as_os_str().is_empty());
    let file = tempfile::Builder::new()
        .permissions(mode)
        .tempfile_in(dir.unwrap_or(Path::new(".")))
        .map_err(|error| failed(&error))?;
    fs_err::write(file.path(), text).map_err(|error| failed(&error))?;
    file.persist(path).map_err(|error| failed(&error))?;
    Ok(())
}

fn failed(error: &dyn std::error::Error) -> Failure {
    Failure::new(code::INPUT, chain(error))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::inventory::load;

    #[test]
    fn passwords_in_clear_are_replaced_at_their_places() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("i.yml");
        let text = "all:\n  vars: { pg_admin_password: 'old one', patroni_password: \"{{ lookup('env', 'HOME') }}\" }\n  \
                    hosts: { 10.0.0.1: { pg_users: [{ name: app, password: Old }, { name: v, password: SCRAM-SHA-256$4096:x }] } }\n";
        std::fs::write(&path, text).unwrap();
        let inventory = load(&path, &[]).unwrap().inventory;
        let model = crate::model::build(&inventory).0.unwrap();
        let targets = |names: &[String]| targets(&inventory, &model, names);
        let found = targets(&[]).unwrap();
        let labels: Vec<&String> = found.values().map(|target| &target.label).collect();
        assert_eq!(labels, ["pg_admin_password", "app"]);
        let files = edited(&inventory, &found).unwrap();
        std::fs::write(&path, &files[&path]).unwrap();
        let after = load(&path, &[]).unwrap().inventory;
        let admin = after
            .var("10.0.0.1", "pg_admin_password")
            .unwrap()
            .node
            .clone();
        let admin = admin.as_str().unwrap();
        assert!(admin != "old one" && admin.len() > 20);
        assert!(files[&path].contains("lookup('env', 'HOME')") && !files[&path].contains("Old }"));
        assert!(targets(&["nobody".to_owned()]).is_err());
        assert!(targets(&["patroni_password".to_owned()]).is_err());
    }

    /// Three places of two formations: one of its own for each, and one parameter that both share.
    #[test]
    fn equal_names_in_different_formations_get_passwords_of_their_own() {
        let target = |label: &str, formations: &[&str]| PasswordPlace {
            label: label.to_owned(),
            formations: formations.iter().map(|name| (*name).to_owned()).collect(),
        };
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("i.yml");
        let formation = |name: &str, host: &str| {
            format!(
                "    {name}: {{ hosts: {{ {host}: {{ pg_seq: 1, pg_role: primary }} }}, vars: {{ pg_cluster: {name}, pg_users: [{{ name: app, password: Old }}] }} }}\n"
            )
        };
        let text = format!(
            "all:\n  vars: {{ pg_admin_password: old }}\n  children:\n    etcd: {{ hosts: {{ 10.0.0.1: {{ etcd_seq: 1 }} }} }}\n{}{}",
            formation("pg-a", "10.0.0.1"),
            formation("pg-b", "10.0.0.2")
        );
        std::fs::write(&path, text).unwrap();
        let inventory = load(&path, &[]).unwrap().inventory;
        let model = crate::model::build(&inventory).0.unwrap();
        let found = targets(&inventory, &model, &[]).unwrap();
        let all: Vec<&PasswordPlace> = found.values().collect();
        assert_eq!(
            all,
            [
                &target("pg_admin_password", &["pg-a", "pg-b"]),
                &target("app", &["pg-a"]),
                &target("app", &["pg-b"])
            ]
        );
        let groups: BTreeSet<usize> = together(&found).into_values().collect();
        assert_eq!(groups.len(), 3);
        let files = edited(&inventory, &found).unwrap();
        std::fs::write(&path, &files[&path]).unwrap();
        let after = load(&path, &[]).unwrap().inventory;
        let app = |host: &str| {
            let users = after.var(host, "pg_users").unwrap().node.items().unwrap()[0].clone();
            users.get("password").unwrap().as_str().unwrap().to_owned()
        };
        assert_ne!(app("10.0.0.1"), app("10.0.0.2"));
    }
}
