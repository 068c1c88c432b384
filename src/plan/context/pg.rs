//! The part of a context that an instance of PostgreSQL is made of.

use super::bootstrap::initdb;
use super::pooler::hba_problem;
use super::{Builder, ContextNotes, etcd_password, facts};
use crate::command::session_options;
use crate::inventory::param;
use crate::inventory::parameters::Typed;
use crate::model::dcs::{self, DcsInput, StandbyOf, SyncMode};
use crate::model::guard::guard_case;
use crate::model::hba::{self, HbaEnv, HbaError};
use crate::model::objects;
use crate::model::packages::extensions_used;
use crate::model::pg::{bin_dir, data_parent};
use crate::model::tuning::{self, Hardware, Profile, TuningInput};
use crate::model::{Formation, Group, Instance, Packages};
use crate::names::HostName;
use crate::pki::PkiError;
use crate::secret::Secret;
use crate::template::secret;
use serde_json::{Map, Value, json};
use std::net::IpAddr;

/// Where certificates of an instance lie on its host.
const CERT_DIR: &str = "/pg/cert";

impl Builder<'_> {
    pub(super) fn pg(&self, typed: &Typed<'_>, told: &mut ContextNotes) -> Result<Value, PkiError> {
        let (Some(instance), Some((formation, group))) =
            (&self.host.pg, self.input.model.group_on(&self.host.name))
        else {
            return Ok(Value::Null);
        };
        let mut pg = serde_json::to_value(instance).unwrap_or_default();
        let Value::Object(map) = &mut pg else {
            return Ok(pg);
        };
        let dcs = self.dcs(typed, formation, group);
        for (key, value) in [
            ("address", json!(instance.address.to_string())),
            ("scope", json!(group.scope)),
            ("group", json!(group.number)),
            ("mode", json!(formation.mode)),
            ("namespace", json!(formation.namespace)),
            ("version", json!(formation.version)),
            ("primary_db", json!(formation.primary_db)),
            ("dcs_prefix", json!(group.dcs_prefix)),
            ("dcs", dcs.clone()),
            ("bootstrap_dcs", dcs::bootstrap_config(&dcs)),
            ("hba", self.hba(typed, instance, told)),
            ("ident", json!(ident(typed))),
            ("callback", json!("/pg/bin/patroni-callback")),
            ("session_options", json!(session_options(formation.version))),
            (
                "parameters",
                dcs::local_parameters(
                    CERT_DIR,
                    &typed.get(param::PG_LOCALHOST),
                    &typed.get(param::PG_LOG_DIR),
                ),
            ),
            ("users", self.users(typed)),
            ("guard", guard_case(typed, formation, group, instance)),
            ("patroni", self.patroni(typed, instance, formation, group)),
            ("etcd", self.pg_etcd(typed, group)),
            ("initdb", initdb(typed, formation.version)),
            (
                "tls",
                // No CN: etcd's gateway refuses Patroni otherwise.
                self.leaf(instance.name.as_str(), "", &instance.sans, told)?,
            ),
            ("backup", self.pg_backup(typed, instance, group, told)?),
            ("packages", self.packages(typed)),
            ("extension_packages", self.extension_packages(typed)),
        ] {
            map.insert(key.to_owned(), value);
        }
        map.insert("dbsu_uid".to_owned(), json!(self.dbsu_uid(typed)));
        map.extend(self.paths(typed, formation, instance));
        map.extend(self.objects(typed, told));
        Ok(pg)
    }

    fn paths(
        &self,
        typed: &Typed<'_>,
        formation: &Formation,
        instance: &Instance,
    ) -> Map<String, Value> {
        let listen = self.listen(typed, instance);
        let home = format!(
            "{}/{}-{}",
            typed.get(param::PG_FS_MAIN),
            instance.cluster,
            formation.version
        );
        let values = [
            ("bin_dir", bin_dir(typed, formation.version)),
            (
                "extension_dir",
                format!("/usr/share/postgresql/{}/extension", formation.version),
            ),
            ("data_dir", typed.get(param::PG_DATA)),
            (
                "data_parent",
                data_parent(&typed.get(param::PG_DATA))
                    .unwrap_or_default()
                    .to_owned(),
            ),
            ("home", home),
            ("fs_main", typed.get(param::PG_FS_MAIN)),
            ("conf_dir", "/pg/conf".to_owned()),
            ("cert_dir", CERT_DIR.to_owned()),
            ("log_dir", typed.get(param::PG_LOG_DIR)),
            ("socket_dir", typed.get(param::PG_LOCALHOST)),
            ("listen", listen),
            ("dbsu_home", typed.get(param::PG_DBSU_HOME)),
        ];
        values
            .into_iter()
            .map(|(key, value)| (key.to_owned(), Value::from(value)))
            .collect()
    }

    /// `pg_dbsu_uid`. The number 26 is that of a group on Debian, and 543 there, as in Pigsty.
    fn dbsu_uid(&self, typed: &Typed<'_>) -> i64 {
        match typed.get(param::PG_DBSU_UID) {
            26 if self.facts().os.is_deb() => 543,
            uid => uid,
        }
    }

    fn users(&self, typed: &Typed<'_>) -> Value {
        let user = |name: &str, password: &str| (typed.str(name), secret(&typed.secret(password)));
        let (replication, replication_password) =
            user("pg_replication_username", "pg_replication_password");
        let (admin, admin_password) = user("pg_admin_username", "pg_admin_password");
        let (monitor, monitor_password) = user("pg_monitor_username", "pg_monitor_password");
        json!({
            "dbsu": typed.get(param::PG_DBSU),
            "dbsu_password": secret(&typed.get(param::PG_DBSU_PASSWORD)),
            "replication": replication, "replication_password": replication_password,
            "admin": admin, "admin_password": admin_password,
            "monitor": monitor, "monitor_password": monitor_password,
        })
    }

    fn patroni(
        &self,
        typed: &Typed<'_>,
        instance: &Instance,
        formation: &Formation,
        group: &Group,
    ) -> Value {
        json!({
            "version": self.instance_version(&instance.host).to_string(),
            "username": typed.get(param::PATRONI_USERNAME),
            "password": secret(&typed.get(param::PATRONI_PASSWORD)),
            "client_auth": client_auth(typed).as_ref().map(secret),
            "allowlist": self.allowlist(formation),
            "ssl": instance.patroni_ssl,
            "watchdog": typed.get(param::PATRONI_WATCHDOG_MODE),
            "rto": group.rto,
            "log_dir": typed.get(param::PATRONI_LOG_DIR),
            "config_file": format!("/pg/conf/{}.yml", instance.name),
        })
    }

    /// Everybody who may use Patroni's unsafe endpoints: all members of the formation, since workers call the
    /// coordinator (Pigsty's defects D1 and D9), the control node, and hosts of the group `infra`.
    fn allowlist(&self, formation: &Formation) -> Vec<String> {
        let mut addresses: Vec<IpAddr> = formation.members().map(|member| member.address).collect();
        addresses.extend(self.input.model.admin_ip);
        addresses.extend(self.input.model.infra());
        addresses.push(IpAddr::from([127, 0, 0, 1]));
        addresses.sort();
        addresses.dedup();
        addresses.iter().map(ToString::to_string).collect()
    }

    fn pg_etcd(&self, typed: &Typed<'_>, group: &Group) -> Value {
        let Some(etcd) = &self.input.model.etcd else {
            return Value::Null;
        };
        // A learner answers no question that counts.
        let hosts: Vec<String> = etcd
            .members
            .iter()
            .filter(|member| !member.learner)
            .map(|member| std::net::SocketAddr::new(member.address, etcd.client_port).to_string())
            .collect();
        json!({
            "hosts": hosts,
            "has_learner": etcd.members.iter().any(|member| member.learner),
            "username": group.scope,
            "password": secret(&etcd_password(typed, &group.scope)),
            "cacert": format!("{CERT_DIR}/ca.crt"),
            "cert": format!("{CERT_DIR}/server.crt"),
            "key": format!("{CERT_DIR}/server.key"),
        })
    }

    /// What is wrong with a rule has been said by the lints, with its place.
    fn hba(&self, typed: &Typed<'_>, instance: &Instance, told: &mut ContextNotes) -> Value {
        let Some((formation, group)) = self.input.model.group_on(&self.host.name) else {
            return Value::Null;
        };
        let env = HbaEnv::of(self.input.model, typed, instance, formation, group);
        let mut rules = typed.get(param::PG_HBA_RULES);
        if let (Value::Array(rules), true) = (&mut rules, typed.get(param::PGBOUNCER_ENABLED)) {
            // After all others: whoever PgBouncer has let in proves it again, by password, through the socket.
            rules.push(json!({ "title": "PgBouncer", "addr": "local", "auth": "pwd" }));
        }
        match hba::expand(&typed.get(param::PG_DEFAULT_HBA_RULES), &rules, &env) {
            Ok(lines) => json!(lines),
            Err(errors) => {
                let place = |error: &HbaError| typed.place(error.list.parameter());
                let problems = errors
                    .iter()
                    .map(|error| hba_problem(&instance.name, error, place(error)));
                told.diagnostics.extend(problems);
                Value::Null
            }
        }
    }

    /// The dynamic configuration of the group: computed for its weakest member, so that every member can run it.
    fn dcs(&self, typed: &Typed<'_>, formation: &Formation, group: &Group) -> Value {
        let profile: Profile = typed.get(param::PG_CONF).parse().unwrap_or(Profile::Oltp);
        let input = TuningInput {
            silence: group.rto.retry_timeout,
            archive_command: self.archive_command(group),
            ..self.tuning_input(typed, formation)
        };
        let version = group
            .members
            .iter()
            .map(|member| self.instance_version(&member.host))
            .min();
        let parameters = tuning::tuning(profile, self.weakest(group), &input);
        let overrides = match typed.get(param::PG_PARAMETERS) {
            Value::Object(map) => map,
            Value::Null
            | Value::Bool(_)
            | Value::Number(_)
            | Value::String(_)
            | Value::Array(_) => Map::new(),
        };
        dcs::dynamic_config(&DcsInput {
            patroni: version.unwrap_or(semver::Version::new(4, 0, 7)),
            citus: formation.is_citus(),
            profile,
            ttl: group.rto.ttl,
            loop_wait: group.rto.loop_wait,
            retry_timeout: group.rto.retry_timeout,
            primary_start_timeout: group.rto.primary_start_timeout,
            rpo: u64::try_from(typed.get(param::PG_RPO)).unwrap_or_default(),
            synchronous: SyncMode::named(&typed.get(param::PG_SYNCHRONOUS_MODE))
                .unwrap_or_default(),
            standby_of: group.standby.as_ref().map(|standby| StandbyOf {
                host: standby.host.clone(),
                port: standby.port,
                delay: group.primary().and_then(|primary| primary.delay.clone()),
            }),
            parameters,
            overrides,
        })
    }

    fn tuning_input(&self, typed: &Typed<'_>, formation: &Formation) -> TuningInput {
        let libs = typed.get(param::PG_LIBS);
        TuningInput {
            version: formation.version,
            citus: formation.is_citus(),
            libs: libs
                .split(',')
                .map(str::trim)
                .filter(|lib| !lib.is_empty())
                .map(str::to_owned)
                .collect(),
            max_conn: typed
                .get(param::PG_MAX_CONN)
                .as_i64()
                .and_then(|n| u32::try_from(n).ok())
                .filter(|n| *n >= 20),
            pooled: typed.get(param::PGBOUNCER_ENABLED)
                && typed.get(param::PG_DEFAULT_SERVICE_DEST) == "pgbouncer",
            shared_buffer_ratio: typed.get(param::PG_SHARED_BUFFER_RATIO),
            ssd: typed.get(param::PG_STORAGE_TYPE) == "SSD",
            io_method: typed.get(param::PG_IO_METHOD),
            password_encryption: typed.get(param::PG_PWD_ENC),
            ca_file: format!("{CERT_DIR}/ca.crt"),
            primary_db: formation.primary_db.clone(),
            ..TuningInput::default()
        }
    }

    fn weakest(&self, group: &Group) -> Hardware {
        let hardware = |host: &HostName| {
            let known = self.input.model.hosts.get(host)?;
            let facts = facts(self.input.traits.get(host), &known.facts);
            Some(Hardware {
                cpu: facts.cpu,
                mem_mb: facts.mem_mb,
                disk_gb: facts.disk_gb,
            })
        };
        let all = group
            .members
            .iter()
            .filter_map(|member| hardware(&member.host));
        Hardware::least(all).unwrap_or(Hardware {
            cpu: 1,
            mem_mb: 1024,
            disk_gb: 10,
        })
    }

    /// What PostgreSQL and Patroni need, and what `pg_packages` asks for besides.
    fn packages(&self, typed: &Typed<'_>) -> Value {
        let asked = texts(&typed.get(param::PG_PACKAGES));
        let needed = ["pgsql-main", "pgsql-common"].into_iter();
        json!(
            self.named(typed)
                .all(needed.chain(asked.iter().map(String::as_str)))
        )
    }

    /// Packages and control file of each extension in `pg_extensions`, and of those in `pg_databases` that have an alias.
    fn extension_packages(&self, typed: &Typed<'_>) -> Value {
        let asked = texts(&typed.get(param::PG_EXTENSIONS));
        let used = extensions_used(&typed.get(param::PG_DATABASES));
        let all = self.named(typed).extensions(&asked, &used);
        let row = |(name, packages)| json!({ "name": name, "packages": packages });
        all.into_iter().map(row).collect()
    }

    /// The aliases of packages on this host.
    pub(super) fn named(&self, typed: &Typed<'_>) -> Packages {
        let version = typed.get(param::PG_VERSION);
        Packages::of(typed, self.facts().os, version)
    }
}

/// Who may come as whom besides himself.
fn ident(typed: &Typed<'_>) -> Vec<String> {
    let asks = objects::pooler_asks(typed).then(|| {
        let dbsu = typed.get(param::PG_DBSU);
        format!("{} {dbsu} {}", hba::POOLER_MAP, objects::POOLER_ROLE)
    });
    asks.into_iter().collect()
}

/// What Patroni's own requests log in with, where that is not simply name and password: they carry Latin-1 and its server
/// expects UTF-8 (3.0 to 4.1), so each byte of the UTF-8 goes in as one letter. Without it a worker could not tell the
/// coordinator of its switchover, and letters outside of Latin-1 would end Patroni at its start.
fn client_auth(typed: &Typed<'_>) -> Option<Secret> {
    let auth = format!(
        "{}:{}",
        typed.get(param::PATRONI_USERNAME),
        typed.get(param::PATRONI_PASSWORD).expose()
    );
    let letters = || auth.bytes().map(char::from).collect::<String>();
    (!auth.is_ascii()).then(|| Secret::new(letters()))
}

pub(super) fn texts(value: &Value) -> Vec<String> {
    let items = value.as_array().into_iter().flatten();
    items
        .filter_map(|item| item.as_str().map(str::to_owned))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::inventory::load;

    fn auth(password: &str) -> Option<String> {
        let path = format!("{}/inventory/single.yml", env!("CARGO_MANIFEST_DIR"));
        let extra = json!({ "patroni_password": password }).to_string();
        let inventory = load(path.as_ref(), &[extra]).unwrap().inventory;
        let vars = &inventory.hosts["10.10.10.10"].vars;
        client_auth(&Typed::new(vars)).map(|secret| secret.expose().to_owned())
    }

    #[test]
    fn patronis_own_requests_carry_the_bytes_that_its_server_expects() {
        assert_eq!(auth("plain"), None);
        let text = auth("é€").unwrap();
        // What urllib3 makes of it.
        let latin: Vec<u8> = text.chars().map(|c| u8::try_from(c).unwrap()).collect();
        assert_eq!(latin, "postgres:é€".as_bytes());
    }
}
