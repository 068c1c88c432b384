//! The proof: a committed write through every service port that should take one, and one over all groups.

use super::{Case, nodes, promote};
use crate::command::{LOCAL_PINS, Psql, given, quote};
use crate::inventory::param;
use crate::model::{Host, Service, ServiceKind};
use crate::runbook::{Script, Step};

/// `through HOST PORT DATABASE SQL`: as the administrator, over TLS, as a client would: without startup options, which PgBouncer
/// refuses, and within a deadline of its own.
pub(super) fn functions(host: &Host) -> String {
    let typed = host.typed();
    let psql = Psql {
        before: "timeout -k 1 10".to_owned(),
        bin: "\"$PG_BIN\"".to_owned(),
        host: "\"$1\"".to_owned(),
        port: "\"$2\"".to_owned(),
        database: "\"$3\"".to_owned(),
        user: Some(quote(&typed.get(param::PG_ADMIN_USERNAME))),
        options: String::new(),
        lenient: false,
    };
    format!(
        "through() {{ PGPASSWORD={} PGSSLMODE=verify-ca PGSSLROOTCERT=/pg/cert/ca.crt {} -c {}\"$4\"; }}\n",
        quote(typed.get(param::PG_ADMIN_PASSWORD).expose()),
        psql.command(),
        quote(&format!(
            "SET TRANSACTION READ WRITE; {LOCAL_PINS}SET LOCAL statement_timeout = 10000; "
        )),
    )
}

/// A door is a host's address and a port, and a database that is behind it: a pool has the formation's own and no other one for sure.
struct ServicePort {
    address: String,
    port: u16,
    database: String,
}

/// One statement string is one transaction: it goes through a pool in every mode.
const PLAIN: &str = "CREATE TABLE public.citusctl_recover_TABLE (id bigint); INSERT INTO public.citusctl_recover_TABLE VALUES (1); \
    DROP TABLE public.citusctl_recover_TABLE";

/// A database of every server.
const SERVER_DB: &str = "postgres";

/// The steps of the proof.
pub(super) fn steps(case: &Case<'_>) -> Vec<Step> {
    let plain = doors(case, |service| {
        service.kind == ServiceKind::Cluster && leads_to(case, service) && writes(service)
    });
    let (way, first) = match plain.is_empty() {
        true => (
            "the server itself (no HAProxy that leads here answers)",
            direct(case),
        ),
        false => ("HAProxy", plain),
    };
    let title = format!("write through {way} to {}", case.group.cluster);
    let mut steps = vec![write(case, "prove", title, &first, PLAIN)];
    let addresses = addresses(case);
    if !addresses.is_empty() {
        // An address may come seconds later than the leader.
        let title = format!("write through the address of {}", case.group.cluster);
        steps.push(write(case, "prove-address", title, &addresses, PLAIN).optional());
    }
    if case.formation.is_citus() {
        steps.extend(nodes::known(case));
        let coordinator = doors(case, |service| {
            service.kind == ServiceKind::Coordinator && writes(service)
        });
        // Without a leader in each group there is nothing to wait for.
        if !coordinator.is_empty() && promote::waiting(case).is_empty() {
            let sql = "CREATE TABLE public.citusctl_recover_TABLE (id bigint); SELECT create_distributed_table('public.citusctl_recover_TABLE', 'id'); \
                INSERT INTO public.citusctl_recover_TABLE SELECT generate_series(1, 100); DROP TABLE public.citusctl_recover_TABLE";
            let title = "write to all groups through the coordinator";
            // Another group may need a recover of its own.
            steps.push(
                write(
                    case,
                    "prove-distributed",
                    title.to_owned(),
                    &coordinator,
                    sql,
                )
                .optional(),
            );
        }
    }
    steps
}

fn doors(case: &Case<'_>, which: impl Fn(&Service) -> bool) -> Vec<ServicePort> {
    let hosts = case.input.model.hosts().filter(|host| host.haproxy);
    let reachable = hosts.filter(|host| {
        case.host_seen(&host.name)
            .is_some_and(|seen| seen.runs("haproxy"))
    });
    let doors = reachable.flat_map(|host| {
        let services = host.services.iter().filter(|service| which(service));
        services.map(|service| ServicePort {
            address: host.address.to_string(),
            port: service.port,
            database: behind(case, service),
        })
    });
    doors.collect()
}

/// PgBouncer where there is one, and PostgreSQL.
fn direct(case: &Case<'_>) -> Vec<ServicePort> {
    at(case, case.survivor.address.to_string())
}

fn at(case: &Case<'_>, address: String) -> Vec<ServicePort> {
    let host = case.input.model.hosts.get(&case.survivor.host);
    let pool = host.map(Host::typed);
    let pool = pool.filter(|typed| typed.get(param::PGBOUNCER_ENABLED));
    let pool = pool.map(|typed| {
        let database = case.formation.primary_db.clone();
        (typed.get(param::PGBOUNCER_PORT), database)
    });
    let server = (case.survivor.port, SERVER_DB.to_owned());
    let door = |(port, database)| ServicePort {
        address: address.clone(),
        port,
        database,
    };
    pool.into_iter().chain([server]).map(door).collect()
}

/// The database that is written to through a service: any server has `postgres`.
fn behind(case: &Case<'_>, service: &Service) -> String {
    let mut servers = service.servers.iter();
    let pooled = servers.any(|server| case.input.model.is_pooled(server));
    match pooled || service.kind == ServiceKind::Coordinator {
        true => case.formation.primary_db.clone(),
        false => SERVER_DB.to_owned(),
    }
}

/// The group's own address, and shared ones of hosts with HAProxy that are there.
fn addresses(case: &Case<'_>) -> Vec<ServicePort> {
    let own = case.group.vip.iter();
    let own = own.flat_map(|vip| at(case, vip.address.to_string()));
    let shared = case.input.model.node_vips.iter().flat_map(|vip| {
        let here = vip.hosts.iter().filter(|host| {
            case.host_seen(host)
                .is_some_and(|seen| seen.runs("haproxy"))
        });
        let hosts = here.filter_map(|host| case.input.model.hosts.get(host));
        let services = hosts.take(1).flat_map(|host| &host.services);
        let services = services.filter(|service| leads_to(case, service) && writes(service));
        services.map(|service| ServicePort {
            address: vip.address.to_string(),
            port: service.port,
            database: behind(case, service),
        })
    });
    own.chain(shared).collect()
}

fn leads_to(case: &Case<'_>, service: &Service) -> bool {
    let mut servers = service.servers.iter();
    servers.any(|server| server.instance.as_ref() == Some(&case.survivor.name))
}

/// Whether only a leader passes the service's check.
fn writes(service: &Service) -> bool {
    let path = service.check_path.as_deref().unwrap_or_default();
    let path = path.split('?').next().unwrap_or_default();
    matches!(path, "/primary" | "/read-write" | "/leader" | "/master")
}

/// One statement string is one transaction: committed, and nothing is left behind.
fn write(
    case: &Case<'_>,
    id: &'static str,
    title: String,
    doors: &[ServicePort],
    sql: &str,
) -> Step {
    let doors: Vec<String> = doors
        .iter()
        .map(|door| format!("{} {} {}", door.address, door.port, door.database))
        .collect();
    let values = [
        ("ID", id),
        ("DOORS", &doors.join("\n")),
        ("SQL", &sql.replace("_TABLE", &table(case))),
        ("LIMIT", if id == "prove" { "60" } else { "20" }),
    ];
    let act = given(&values, include_str!("scripts/prove.sh"));
    Step::on(
        &case.survivor.host,
        id,
        title,
        Script::new(act, format!("[ -e \"/run/citusctl/{id}-$RUN\" ]")),
    )
}

/// The run's own, so that it never meets another table.
fn table(case: &Case<'_>) -> String {
    let plain = |c: char| {
        if c.is_ascii_alphanumeric() {
            c.to_ascii_lowercase()
        } else {
            '_'
        }
    };
    format!(
        "_{}",
        case.input
            .run
            .as_str()
            .chars()
            .map(plain)
            .collect::<String>()
    )
}
