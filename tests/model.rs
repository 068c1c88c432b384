//! What the shipped inventories mean.

use citusctl::inventory;
use citusctl::model::{self, Formation, Instance, Mode, Model, Service};
use citusctl::names::{ClusterName, HostName, InstanceName};
use std::path::{Path, PathBuf};

fn shipped(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("inventory")
        .join(name)
}

fn load(path: &Path, extra: &[&str]) -> Model {
    let extra: Vec<String> = extra.iter().map(|text| (*text).to_owned()).collect();
    let loaded = inventory::load(path, &extra).unwrap_or_else(|error| panic!("{error}"));
    let (model, problems) = model::build(&loaded.inventory);
    assert!(!problems.has_errors(), "{problems:#?}");
    model.unwrap()
}

fn written(text: &str) -> Model {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("inventory.yml");
    std::fs::write(&path, text).unwrap();
    load(&path, &[])
}

fn instance<'a>(model: &'a Model, name: &str) -> &'a Instance {
    model.instance(&InstanceName::new(name)).unwrap()
}

fn service<'a>(model: &'a Model, host: &str, name: &str) -> &'a Service {
    let host = &model.hosts[&HostName::new(host)];
    let names: Vec<_> = host.services.iter().map(|service| &service.name).collect();
    let found = host.services.iter().find(|service| service.name == name);
    found.unwrap_or_else(|| panic!("no `{name}` among {names:?}"))
}

/// `name` or `name (backup)` of each server.
fn servers(service: &Service) -> Vec<String> {
    let mark = |backup| if backup { " (backup)" } else { "" };
    let names = service
        .servers
        .iter()
        .map(|s| format!("{}{}", s.name, mark(s.backup)));
    names.collect()
}

fn only(model: &Model) -> &Formation {
    assert_eq!(model.formations.len(), 1);
    &model.formations[0]
}

fn prefixes(formation: &Formation) -> Vec<&str> {
    formation
        .groups
        .iter()
        .map(|group| group.dcs_prefix.as_str())
        .collect()
}

#[test]
fn both_layouts_of_citus() {
    for file in ["citus-ha.yml", "citus-min.yml"] {
        let model = load(&shipped(file), &[]);
        let formation = only(&model);
        assert_eq!(
            (formation.mode, formation.primary_db.as_str()),
            (Mode::Citus, "citus")
        );
        let wanted = ["/pg/pg-citus/0/", "/pg/pg-citus/1/", "/pg/pg-citus/2/"];
        assert_eq!(prefixes(formation), wanted, "{file}");
        assert!(
            formation
                .groups
                .iter()
                .all(|group| group.scope == "pg-citus")
        );
        assert_eq!(
            formation.coordinator().unwrap().cluster,
            ClusterName::new("pg-citus0")
        );
        assert_eq!(formation.workers().count(), 2);
    }
}

#[test]
fn etcd_of_citus_ha_survives_any_group() {
    let model = load(&shipped("citus-ha.yml"), &[]);
    let etcd = model.etcd.as_ref().unwrap();
    let wanted = [10, 11, 13].map(|last| format!("https://10.10.10.{last}:2379"));
    assert_eq!(etcd.endpoints(), wanted);
    assert_eq!(etcd.tolerance(), 1);
    for (_, group) in model.groups() {
        let here = group
            .members
            .iter()
            .filter(|pg| etcd.members.iter().any(|e| e.host == pg.host));
        assert!(here.count() <= etcd.tolerance(), "{}", group.cluster);
    }
    assert_eq!(
        model.hosts[&HostName::new("10.10.10.10")].nodename,
        "etcd-1"
    );
}

#[test]
fn plain_cluster() {
    let model = load(&shipped("ha-trio.yml"), &[]);
    let formation = only(&model);
    assert_eq!(formation.mode, Mode::Plain);
    assert_eq!(prefixes(formation), ["/pg/pg-test/"]);
    assert_eq!(formation.groups[0].number, None);
    assert_eq!(
        formation.groups[0].primary().unwrap().name,
        InstanceName::new("pg-test-1")
    );
    let services = &model.hosts[&HostName::new("10.10.10.12")].services;
    let ports: Vec<_> = services.iter().map(|service| service.port).collect();
    assert_eq!(ports, [5433, 5434, 5436, 5438]);
}

#[test]
fn services_of_a_cluster() {
    let model = load(&shipped("ha-trio.yml"), &[]);
    let of = |name: &str| service(&model, "10.10.10.11", name);
    let primary = of("pg-test-primary");
    assert_eq!(primary.check_path.as_deref(), Some("/primary"));
    assert_eq!(primary.check_roles, ["primary", "master"]);
    assert_eq!(primary.check_method, "GET");
    assert_eq!(servers(primary), ["pg-test-1", "pg-test-2", "pg-test-3"]);
    assert_eq!(
        (primary.servers[0].port, primary.check_port),
        (6432, Some(8008))
    );
    let replica = of("pg-test-replica");
    assert_eq!(replica.check_path.as_deref(), Some("/replica?lag=1048576"));
    assert!(replica.check_roles.is_empty());
    assert_eq!(servers(replica), ["pg-test-1", "pg-test-2", "pg-test-3"]);
    let fallback = replica.fallback.as_ref().unwrap();
    assert_eq!(fallback.check_path, "/read-only?lag=1048576");
    assert_eq!(fallback.servers.len(), 3);
    let offline = of("pg-test-offline");
    assert_eq!(offline.check_path.as_deref(), Some("/health"));
    assert_eq!(
        offline.check_expect.as_deref(),
        Some("\"role\": \"replica\"")
    );
    assert_eq!(
        servers(offline),
        ["pg-test-1 (backup)", "pg-test-2 (backup)", "pg-test-3"]
    );
}

#[test]
fn services_of_a_formation() {
    let model = load(&shipped("citus-ha.yml"), &[]);
    for last in 11..=16 {
        let host = format!("10.10.10.{last}");
        let coordinator = service(&model, &host, "pg-citus-rw");
        assert_eq!(
            (coordinator.port, coordinator.check_path.as_deref()),
            (5000, Some("/primary"))
        );
        assert_eq!(servers(coordinator), ["pg-citus0-1", "pg-citus0-2"]);
        let any = service(&model, &host, "pg-citus-any");
        let wanted = ["pg-citus1-1", "pg-citus1-2", "pg-citus2-1", "pg-citus2-2"];
        assert_eq!(
            (any.port, servers(any)),
            (5001, wanted.map(str::to_owned).to_vec())
        );
    }
    assert_eq!(model.hosts[&HostName::new("10.10.10.14")].services.len(), 6);
    assert!(!model.hosts[&HostName::new("10.10.10.10")].haproxy);
}

#[test]
fn certificates_carry_every_way_in() {
    let model = load(
        &shipped("citus-ha.yml"),
        &["pg_vip_enabled=true", "pg_vip_address=10.10.10.2/24"],
    );
    let coordinator = &instance(&model, "pg-citus0-2").sans;
    for name in [
        "pg-citus0-2",
        "pg-citus0",
        "pg-citus",
        "localhost",
        "127.0.0.1",
        "10.10.10.2",
    ] {
        assert!(
            coordinator.iter().any(|san| san == name),
            "no {name} in {coordinator:?}"
        );
    }
    for last in 11..=16 {
        // 5000 on any host leads to the coordinator, 5001 to any worker.
        let address = format!("10.10.10.{last}");
        assert!(
            coordinator.contains(&address),
            "no {address} in {coordinator:?}"
        );
        assert!(instance(&model, "pg-citus2-1").sans.contains(&address));
    }
    let etcd = &model.etcd.as_ref().unwrap().members[1];
    assert_eq!(
        etcd.sans,
        [
            "etcd-2",
            "localhost",
            "127.0.0.1",
            "10.10.10.11",
            "pg-citus0-1"
        ]
    );
}

const CASCADE: &str = "
all:
  children:
    etcd: { hosts: { 10.0.0.1: { etcd_seq: 1 } } }
    pg:
      hosts:
        10.0.0.1: { pg_seq: 1, pg_role: primary }
        10.0.0.2: { pg_seq: 2, pg_role: replica }
        10.0.0.3: { pg_seq: 3, pg_role: replica, pg_upstream: 10.0.0.2 }
        10.0.0.4: { pg_seq: 4, pg_role: offline }
        10.0.0.5: { pg_seq: 5, pg_role: delayed, pg_delay: 1h }
      vars: { pg_cluster: pg-test }
";

#[test]
fn upstreams_become_names() {
    let model = written(CASCADE);
    let cascaded = instance(&model, "pg-test-3");
    assert_eq!(cascaded.upstream, Some(InstanceName::new("pg-test-2")));
    assert_eq!(
        cascaded.tags.replicatefrom,
        Some(InstanceName::new("pg-test-2"))
    );
}

#[test]
fn roles_become_tags() {
    let model = written(CASCADE);
    let tags = |name| {
        let tags = &instance(&model, name).tags;
        (
            tags.nofailover,
            tags.noloadbalance,
            tags.nosync,
            tags.clonefrom,
        )
    };
    assert_eq!(tags("pg-test-2"), (false, false, false, true));
    assert_eq!(tags("pg-test-4"), (true, true, true, true));
    assert_eq!(tags("pg-test-5"), (true, true, true, false));
    assert_eq!(instance(&model, "pg-test-5").delay.as_deref(), Some("1h"));
}

#[test]
fn context_of_templates_is_json() {
    let model = load(&shipped("citus-ha.yml"), &[]);
    let host = serde_json::to_value(&model.hosts[&HostName::new("10.10.10.11")]).unwrap();
    assert_eq!(host["pg"]["name"], "pg-citus0-1");
    assert_eq!(host["pg"]["role"], "primary");
    assert_eq!(host["facts"]["os"], "debian13");
    assert!(host.get("connection").is_none());
    assert_eq!(
        serde_json::to_value(&model).unwrap()["formations"][0]["mode"],
        "citus"
    );
}

#[test]
fn clients_have_several_ways_in() {
    use citusctl::model::access::{Purpose, Via, routes};
    let ways = |model: &Model, group: usize, purpose| -> Vec<(Via, String)> {
        let found = routes(model, &model.formations[0].groups[group], purpose).into_iter();
        found
            .map(|route| {
                let places: Vec<String> = route.places.iter().map(ToString::to_string).collect();
                (route.via, places.join(" "))
            })
            .collect()
    };
    let vips = "{pg_vip_enabled: true, pg_vip_address: 10.10.10.2/24, vip_enabled: true, vip_address: 10.10.10.99, vip_vrid: 7}";
    let trio = load(&shipped("ha-trio.yml"), &[vips]);
    assert_eq!(
        ways(&trio, 0, Purpose::ReadWrite),
        [
            (
                Via::Members,
                "10.10.10.11:5432 10.10.10.12:5432 10.10.10.13:5432".to_owned()
            ),
            (
                Via::Haproxy,
                "10.10.10.11:5433 10.10.10.12:5433 10.10.10.13:5433".to_owned()
            ),
            (Via::Vip, "10.10.10.2:5432".to_owned()),
            (Via::HostVip, "10.10.10.99:5433".to_owned()),
        ]
    );
    // The address that follows the leader is no way to a standby.
    let ro = ways(&trio, 0, Purpose::ReadOnly);
    assert_eq!(
        ro[1].1,
        "10.10.10.11:5434 10.10.10.12:5434 10.10.10.13:5434"
    );
    assert!(ro.iter().all(|(via, _)| *via != Via::Vip));
    let citus = load(&shipped("citus-ha.yml"), &[]);
    let rw = ways(&citus, 0, Purpose::ReadWrite);
    assert_eq!(rw[0].1, "10.10.10.11:5432 10.10.10.12:5432");
    assert_eq!(
        (rw[1].1.matches(":5000").count(), rw[2].0),
        (6, Via::AnyNode)
    );
    let worker = ways(&citus, 1, Purpose::Admin);
    assert_eq!(worker[1].1, "10.10.10.13:5436 10.10.10.14:5436");
}
