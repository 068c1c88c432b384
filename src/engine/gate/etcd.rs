//! etcd: its members take part in one majority.

use super::{GateView, exec};
use crate::command::quote;
use crate::engine::Run;
use crate::engine::look::futures_join;
use crate::model::EtcdMember;
use crate::model::etcd::{FUNCTIONS, other_cluster};

/// Every member of etcd that is connected takes part in a majority.
pub(super) async fn view(run: &Run<'_>) -> GateView {
    let Some(etcd) = &run.model.etcd else {
        return GateView::Open("no etcd here".to_owned());
    };
    let port = etcd.client_port;
    let members = etcd.members.iter();
    let connected = members.filter(|member| run.fleet.get(&member.host).is_some());
    let answers = futures_join(
        connected.map(|member| async move { (member, health(run, member, port).await) }),
    )
    .await;
    let all = etcd.members.len();
    let lacks = answers.iter().filter_map(|(member, health)| match health {
        Health::Well => None,
        Health::Sick(why) | Health::Unknown(why) => Some(format!("{}: {why}", member.name)),
    });
    let lacks: Vec<String> = lacks.collect();
    let well = answers.len() - lacks.len();
    // A member with a vote is healthy when it can read through a majority, whoever else is asked.
    if lacks.is_empty()
        && let Some(other) = other_clusters(run, &answers, port).await
    {
        return GateView::Closed(other);
    }
    match lacks.is_empty() && !answers.is_empty() {
        true => GateView::Open(format!("{well} of {all} etcd members are healthy")),
        false => GateView::Closed(format!(
            "{well} of {all} etcd members are healthy; {}",
            lacks.join("; ")
        )),
    }
}

/// Members that are healthy in a cluster of their own, in words.
async fn other_clusters(
    run: &Run<'_>,
    answers: &[(&EtcdMember, Health)],
    port: u16,
) -> Option<String> {
    let ids = futures_join(answers.iter().map(|(member, _)| async move {
        let url = quote(&member.client_url(port));
        let text = format!(
            "{FUNCTIONS}etcd_plain {url} endpoint status -w json 2>/dev/null | json_text cluster_id"
        );
        let said = exec(run, &member.host, &text).await.ok()?;
        Some((member.name.as_str(), said.trim().parse().ok()?))
    }))
    .await;
    let ids: Vec<(&str, u64)> = ids.into_iter().flatten().collect();
    let others = other_cluster(&ids);
    (!others.is_empty()).then(|| others.join("; "))
}

/// Whether a member of etcd takes part in a majority.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::engine) enum Health {
    Well,
    /// etcd's own tool says that it does not, in these words.
    Sick(String),
    /// It could not be asked.
    Unknown(String),
}

/// Whether a member takes part in a majority, by its own words.
pub(in crate::engine) async fn health(run: &Run<'_>, member: &EtcdMember, port: u16) -> Health {
    match exec(run, &member.host, &question(member, port)).await {
        Err(why) => Health::Unknown(why),
        Ok(said) if said.contains("is healthy") => Health::Well,
        Ok(said) => match said.lines().map(str::trim).rfind(|line| !line.is_empty()) {
            Some(words) => Health::Sick(words.to_owned()),
            None => Health::Unknown("etcdctl said nothing".to_owned()),
        },
    }
}

/// Asks whether a member is healthy. A learner answers no question about keys, and so none about its health.
fn question(member: &EtcdMember, port: u16) -> String {
    let question = match member.learner {
        true => "status >/dev/null && echo is healthy",
        false => "health",
    };
    format!(
        "{FUNCTIONS}etcd_plain {} endpoint {question} 2>&1",
        quote(&member.client_url(port))
    )
}
