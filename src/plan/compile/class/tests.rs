use super::*;
use crate::catalog::{Asset, Assets, Catalog, Origin};
use crate::inventory::parameters::{self, ParamKind};
use crate::inventory::{self, Inventory, Layer, Var};
use crate::model::{self, Model};
use crate::pki::Ca;
use crate::plan::{CompileError, Compiler};
use crate::source::Diagnostics;
use crate::template::Engine;
use proptest::prelude::*;
use std::collections::BTreeMap;
use time::OffsetDateTime;

/// Formations of eight hosts beside three of etcd.
fn formations(hosts: usize) -> String {
    let script = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("ci/formations");
    let command = std::process::Command::new("sh")
        .arg(script)
        .arg(hosts.to_string())
        .output();
    String::from_utf8(command.expect("sh").stdout).expect("text")
}

struct Site {
    inventory: Inventory,
    model: Model,
    ca: Ca,
}

impl Site {
    /// None where the inventory is refused before anything is compiled.
    fn of(text: &str) -> Option<Self> {
        let dir = tempfile::tempdir().expect("dir");
        let path = dir.path().join("inventory.yml");
        std::fs::write(&path, text).expect("written");
        let inventory = inventory::load(&path, &[]).ok()?.inventory;
        let (model, mut said) = model::build(&inventory);
        said.extend(parameters::check_vars(&inventory));
        let model = model?;
        said.extend(crate::lint::check(&inventory, &model));
        let ca = Ca::outlined("x", OffsetDateTime::UNIX_EPOCH).expect("ca");
        (!said.has_errors()).then_some(Self {
            inventory,
            model,
            ca,
        })
    }

    fn with<T>(&self, assets: Assets, look: impl Fn(&Compiler<'_>) -> T) -> T {
        let templates = assets.iter().filter(|(path, _)| !path.ends_with(".yml"));
        let texts = templates.map(|(path, asset)| (path.to_owned(), asset.text.clone()));
        let templates = Engine::new(texts.collect::<Vec<_>>());
        let catalog = Catalog::parse(assets).expect("catalog");
        let input = ContextInput {
            inventory: &self.inventory,
            model: &self.model,
            ca: &self.ca,
            now: OffsetDateTime::UNIX_EPOCH,
            traits: &BTreeMap::new(),
            patroni: &BTreeMap::new(),
        };
        look(&Compiler {
            catalog: &catalog,
            templates: &templates,
            input: &input,
            limit: None,
        })
    }

    fn classes(&self) -> usize {
        self.with(Assets::embedded(), |compiler| {
            representatives(&Contexts::new(compiler.input), compiler.tasks()).len()
        })
    }
}

/// What is wrong, of each host: messages without their hosts.
fn messages(error: &CompileError) -> Vec<String> {
    let of = |said: &Diagnostics| said.iter().map(|one| one.message.clone()).collect();
    match error {
        CompileError::Inventory(said) | CompileError::Catalog(said) => of(said),
        CompileError::Pki(error) => vec![error.to_string()],
    }
}

/// What `check` says, and what compiling every host says.
fn both(compiler: &Compiler<'_>) -> (Vec<String>, Vec<String>) {
    let proved = compiler.prove("site").map(|_| ());
    let all = compiler.stream("site", |_, _| ()).map(|_| ());
    let said = |result: Result<(), CompileError>| result.err().as_ref().map(messages);
    (
        said(proved).unwrap_or_default(),
        said(all).unwrap_or_default(),
    )
}

#[test]
fn classes_do_not_grow_with_formations() {
    let site = |hosts| Site::of(&formations(hosts)).expect("sound").classes();
    // Three of etcd, eight places of a formation.
    assert_eq!((site(3 + 8), site(3 + 80)), (11, 11));
}

fn digest(host: &Host) -> u64 {
    let (owners, mut known) = (HashMap::new(), HashMap::new());
    let mut digests = Digests {
        owners: &owners,
        known: &mut known,
    };
    digests.host(host)
}

/// A host with another value of one variable.
fn stating(host: &Host, name: &str, text: &str) -> Host {
    let mut stated = (*host.stated).clone();
    let span = stated.span;
    let var = Var {
        node: Arc::new(Node::string(text, span)),
        key: span,
        layer: Layer::Host,
    };
    Arc::make_mut(&mut stated.vars).insert(name, var);
    Host {
        stated: Arc::new(stated),
        ..host.clone()
    }
}

#[test]
fn no_parameter_is_forgotten() {
    let site = Site::of(&formations(11)).expect("sound");
    let host = site.model.hosts().last().expect("a host");
    let differ = |name: &str, one: &str, other: &str| {
        digest(&stating(host, name, one)) != digest(&stating(host, name, other))
    };
    for param in parameters::all() {
        assert!(differ(param.name, "a", ""), "{}", param.name);
        assert!(differ(param.name, "a", "a'b"), "{}", param.name);
        assert!(differ(param.name, "ab", "a\nb"), "{}", param.name);
        let open = param.kind == ParamKind::Secret || FREE.contains(&param.name);
        assert_eq!(differ(param.name, "ab", "cd"), !open, "{}", param.name);
    }
    assert!(differ("of_the_users_own", "ab", "cd"));
    assert!(!differ("pg_cluster", "f1-0", "f1-0") && differ("pg_cluster", "f1-0", "f1-1"));
}

#[test]
fn secrets_inside_lists_are_open_and_their_neighbours_are_not() {
    let with = |from: &str, to: &str| {
        let text = formations(19).replace(from, to);
        Site::of(&text).expect("sound").classes()
    };
    let one = "{ name: app1, password: App.2.1, roles: [dbrole_admin] }";
    assert_eq!(with("x", "x"), 11);
    assert_eq!(with(one, &one.replace("App.2.1", "Else.9")), 11);
    for (from, to) in [
        ("App.2.1", "\"App 2\""),
        ("App.2.1", "\"true\""),
        ("app1", "app9"),
        ("dbrole_admin", "dbrole_readonly"),
    ] {
        let changed = one.replace(from, to);
        // The database of this formation has an owner of that name.
        let text = formations(19).replace(one, &changed);
        let text = match from {
            "app1" => text.replacen("owner: app1", "owner: app2", 2),
            _ => text,
        };
        assert!(Site::of(&text).expect("sound").classes() > 11, "{to}");
    }
}

/// A fault that only one host has: the classes do not see it, so a catalog that is not the shipped one is compiled for all.
#[test]
fn another_catalog_is_compiled_for_every_host() {
    let site = Site::of(&formations(19)).expect("sound");
    let mut assets = Assets::embedded();
    let role = assets.get("roles/pgsql/role.yml").expect("role");
    let fault = Asset {
        text: format!(
            "{}\n  - file: {{ id: planted, when: \"host.name == '10.64.0.13'\", path: \"/{{{{ nowhere }}}}\", content: x, tags: [pg_conf] }}\n",
            role.text.trim_end()
        ),
        origin: Origin::Path("role.yml".into()),
    };
    assets.put("roles/pgsql/role.yml", fault);
    site.with(assets, |compiler| {
        let contexts = Contexts::new(compiler.input);
        let chosen = representatives(&contexts, compiler.tasks());
        let seen = compiler.of_tasks(&contexts, "site", &chosen, |_, _| ());
        assert!(seen.is_ok(), "the planted fault is one that classes see");
        let (proved, all) = both(compiler);
        assert!(proved.len() == 1 && proved == all, "{proved:?} {all:?}");
    });
}

/// Values of parameters, some of which no template takes.
fn values() -> impl Strategy<Value = &'static str> {
    prop::sample::select(vec![
        "\"\"",
        "a",
        "'a b'",
        "\"a\\nb\"",
        "\"a\\tb\"",
        "\"'\"",
        "'\"'",
        "\"{{ x }}\"",
        "'${x}'",
        "0",
        "-1",
        "70000",
        "1.5",
        "true",
        "\"true\"",
        "null",
        "[]",
        "[a, b]",
        "{}",
        "{a: 1}",
        "é",
        "'#'",
        "\"%\"",
        "'a:b'",
        "fd00::1",
        "10.64.0.9",
        "absent",
        "0644",
    ])
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 6, ..ProptestConfig::default() })]

    /// One host of one formation is given odd values of some parameters, or a whole formation is.
    #[test]
    fn one_of_each_class_says_what_all_say(
        changes in prop::collection::vec((0..parameters::all().count(), values(), any::<bool>()), 1..4),
    ) {
        let mut text = formations(19);
        for (number, value, whole) in changes {
            let name = parameters::all().nth(number).map(|param| param.name).unwrap_or_default();
            text = match whole {
                true => text.replacen("        pg_mode: citus\n", &format!("        pg_mode: citus\n        {name}: {value}\n"), 1),
                false => text.replacen("pg_group: 1,", &format!("{name}: {value}, pg_group: 1,"), 1),
            };
        }
        let site = Site::of(&text);
        prop_assume!(site.is_some());
        let said = site.map(|site| site.with(Assets::embedded(), both)).unwrap_or_default();
        prop_assert_eq!(said.0, said.1);
    }
}
