//! Whom and what rules speak of on one host, out of the model.

use super::HbaEnv;
use crate::inventory::param;
use crate::inventory::parameters::Typed;
use crate::model::objects::pooler_asks;
use crate::model::{Formation, Group, Instance, Model};
use ipnet::IpNet;
use serde_json::Value;

impl HbaEnv {
    /// The surroundings of an instance. `typed` are its host's variables.
    pub fn of(
        model: &Model,
        typed: &Typed<'_>,
        instance: &Instance,
        formation: &Formation,
        group: &Group,
    ) -> Self {
        Self {
            dbsu: typed.get(param::PG_DBSU),
            replication: typed.get(param::PG_REPLICATION_USERNAME),
            monitor: typed.get(param::PG_MONITOR_USERNAME),
            admin: typed.get(param::PG_ADMIN_USERNAME),
            admin_ip: model.admin_ip,
            infra: model.infra().to_vec(),
            group: group.members.iter().map(|member| member.address).collect(),
            formation: formation.members().map(|member| member.address).collect(),
            citus_db: formation.is_citus().then(|| formation.primary_db.clone()),
            pooler_asks: pooler_asks(typed),
            intranet: intranet(
                model,
                &texts(&typed.get(param::NODE_FIREWALL_INTRANET)),
                formation,
            ),
            password_method: typed.get(param::PG_PWD_ENC),
            role: instance.role.to_string(),
            offline_query: instance.offline_query,
        }
    }
}

/// The networks of `intra`, and each host outside of them from which clients of the formation come through HAProxy: its
/// members and all that carry HAProxy. Hosts with public addresses or IPv6 would be kept out otherwise.
fn intranet(model: &Model, networks: &[String], formation: &Formation) -> Vec<String> {
    let parsed: Vec<IpNet> = networks
        .iter()
        .filter_map(|text| text.parse().ok())
        .collect();
    let members = formation.members().map(|member| member.address);
    let mut outside = model.proxies_outside(&parsed);
    outside.extend(members.filter(|ip| !parsed.iter().any(|network| network.contains(ip))));
    outside.sort();
    outside.dedup();
    networks
        .iter()
        .cloned()
        .chain(outside.iter().map(ToString::to_string))
        .collect()
}

fn texts(value: &Value) -> Vec<String> {
    let items = value.as_array().into_iter().flatten();
    items
        .filter_map(|item| item.as_str().map(str::to_owned))
        .collect()
}
