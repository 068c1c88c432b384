//! HAProxy pinned to the survivor: its checks ask Patroni, which is not there. The files as they were are kept, and
//! put back when the recover is left.

use super::{Case, Input};
use crate::command::quote;
use crate::model::{Group, Host, Model, Service, Vip};
use crate::names::HostName;
use crate::resource::Impact;
use crate::runbook::{Script, Step};
use std::collections::BTreeMap;

/// Where the unpinned files are kept.
const KEPT: &str = "/etc/citusctl/pinned";

/// Reachable hosts with services that lead to the group.
pub(super) fn hosts(case: &Case<'_>) -> Vec<HostName> {
    let hosts = leading_to(case.input.model, case.group);
    let here = hosts.filter(|host| case.host_seen(&host.name).is_some());
    here.map(|host| host.name.clone()).collect()
}

fn leading_to<'a>(model: &'a Model, group: &'a Group) -> impl Iterator<Item = &'a Host> {
    let hosts = model.hosts().filter(|host| host.haproxy);
    hosts.filter(move |host| host.services.iter().any(|service| leads(service, group)))
}

fn leads(service: &Service, group: &Group) -> bool {
    let mut servers = service
        .servers
        .iter()
        .filter_map(|server| server.instance.as_ref());
    servers.any(|name| group.members.iter().any(|member| member.name == *name))
}

/// Pins every service of every reachable HAProxy that leads to the group.
pub(super) fn pin(case: &Case<'_>) -> Option<Step> {
    let wanted = hosts(case);
    let hosts = case
        .input
        .model
        .hosts()
        .filter(|host| wanted.contains(&host.name));
    let scripts: BTreeMap<HostName, Script> = hosts
        .map(|host| (host.name.clone(), pin_script(case, host)))
        .collect();
    let title = format!(
        "pin HAProxy's services of {} to {}, without checks",
        case.group.cluster, case.survivor.name
    );
    // An HAProxy that does not take it is told; others may serve.
    (!scripts.is_empty()).then(|| {
        Step::on_all(scripts, "haproxy", title)
            .with_impact(Impact::Reload)
            .optional()
    })
}

/// Gone with a reboot, after which HAProxy starts as the files say.
fn stamp(group: &Group) -> String {
    quote(&format!("/run/citusctl/pinned-{}", group.cluster))
}

fn pin_script(case: &Case<'_>, host: &Host) -> Script {
    let services = host
        .services
        .iter()
        .filter(|service| leads(service, case.group));
    let files: Vec<String> = services
        .map(|service| quote(&format!("{}.cfg", service.name)))
        .collect();
    let others: Vec<&str> = case
        .group
        .members
        .iter()
        .filter(|member| member.name != case.survivor.name)
        .map(|member| member.name.as_str())
        .collect();
    // The survivor's line keeps its name and address only; those of the group's other members go.
    let act = format!(
        "mkdir -p {KEPT}\n\
         for file in {files}; do\n\
           live=/etc/haproxy/conf.d/$file\n\
           [ -e \"$live\" ] || continue\n\
           [ -e {KEPT}/$file ] || cp -a \"$live\" {KEPT}/$file\n\
           awk -v me={me} -v others={others} '\n\
             $1 == \"server\" && index(others, \" \" $2 \" \") {{ next }}\n\
             $1 == \"server\" && $2 == me {{ print \"    server \" $2 \" \" $3; next }}\n\
             {{ print }}' \"$live\" >\"$live.new\"\n\
           mv -f \"$live.new\" \"$live\"\n\
         done\n\
         if ! said=$(haproxy -c -f /etc/haproxy/haproxy.cfg -f /etc/haproxy/conf.d 2>&1); then\n\
           cp -a {KEPT}/*.cfg /etc/haproxy/conf.d/; echo \"$said\"; exit 1\n\
         fi\n\
         systemctl reload-or-restart haproxy.service\n\
         mkdir -p /run/citusctl; : >{stamp}\n",
        stamp = stamp(case.group),
        files = files.join(" "),
        me = quote(case.survivor.name.as_str()),
        others = quote(&format!(" {} ", others.join(" "))),
    );
    Script::new(act, format!("[ -e {} ]", stamp(case.group)))
}

/// Puts HAProxy's files back as they were.
pub(super) fn unpin(input: Input<'_>) -> Option<Step> {
    let act = format!(
        "for file in {KEPT}/*.cfg; do\n\
           [ -e \"$file\" ] || continue\n\
           cp -a \"$file\" /etc/haproxy/conf.d/\n\
         done\n\
         haproxy -c -f /etc/haproxy/haproxy.cfg -f /etc/haproxy/conf.d >/dev/null\n\
         systemctl reload-or-restart haproxy.service\n\
         rm -f /run/citusctl/pinned-*\n\
         move_aside {KEPT}"
    );
    let hosts = input
        .model
        .hosts()
        .filter(|host| host.haproxy && input.seen.hosts.contains_key(&host.name));
    let scripts: BTreeMap<HostName, Script> = hosts
        .map(|host| {
            (
                host.name.clone(),
                Script::new(&act, format!("[ ! -e {KEPT} ]")),
            )
        })
        .collect();
    let step = |scripts| Step::on_all(scripts, "unpin", "put HAProxy's services back as they were");
    (!scripts.is_empty()).then(|| step(scripts).with_impact(Impact::Reload))
}

/// Binds the group's address on the survivor, and tells the network. It stays when we go.
pub(super) fn bind(case: &Case<'_>) -> Option<Step> {
    let vip = case.group.vip.as_ref()?;
    let act = format!(
        "systemctl stop vip-manager.service 2>/dev/null || :\n\
         systemctl mask vip-manager.service 2>/dev/null || :\n\
         dev={}\n\
         ip addr add {address}/{prefix} dev $dev 2>/dev/null || :\n\
         if command -v arping >/dev/null; then for n in 1 2 3; do arping -q -U -c 1 -I $dev {address} || :; done; elif command -v python3 >/dev/null; then\n\
         python3 - $dev {address} <<'CITUSCTL_ARP' || :\n{ARP}\nCITUSCTL_ARP\nfi\n",
        interface(vip, case),
        address = vip.address,
        prefix = vip.prefix,
    );
    // Its holder lets go of an address that it still has, once it finds that etcd is gone.
    let holds = format!(
        "[ \"$(systemctl show -P ActiveState vip-manager.service)\" != active ] || {{ echo 'vip-manager still holds it'; false; }}\n{}",
        carries(vip)
    );
    let step = Step::on(
        &case.survivor.host,
        "vip",
        format!("bind {} here, and announce it", vip.address),
        Script::new(act, holds),
    );
    Some(step.within(5).optional())
}

/// A gratuitous ARP, for hosts without `arping`.
///
/// The device's own address comes from the socket: in a container /sys may show the devices of another network.
const ARP: &str = "import socket, sys\n\
dev, address = sys.argv[1:]\n\
ip = socket.inet_aton(address)\n\
with socket.socket(socket.AF_PACKET, socket.SOCK_RAW) as raw:\n    raw.bind((dev, 0x0806))\n    mac = raw.getsockname()[4]\n    \
packet = b'\\xff' * 6 + mac + bytes.fromhex('0806000108000604') + bytes.fromhex('0001') + mac + ip + b'\\xff' * 6 + ip\n    \
[raw.send(packet) for _ in range(3)]";

fn interface(vip: &Vip, case: &Case<'_>) -> String {
    match &vip.interface {
        Some(name) => quote(name),
        None => format!(
            "$(ip -o addr show to {} | awk '{{print $2; exit}}')",
            case.survivor.address
        ),
    }
}

fn carries(vip: &Vip) -> String {
    format!(
        "ip -o addr show to {} | grep -q . || {{ echo 'nobody here carries {}'; false; }}",
        vip.address, vip.address
    )
}

/// Hands the address back to vip-manager where there is one.
pub(super) fn unbind(group: &Group, survivor: &HostName) -> Option<Step> {
    let vip = group.vip.as_ref()?;
    let act = format!(
        "if systemctl cat vip-manager.service >/dev/null 2>&1 || [ -L /etc/systemd/system/vip-manager.service ]; then\n\
           systemctl unmask vip-manager.service; systemctl start vip-manager.service || :\n\
         else\n\
           dev=$(ip -o addr show to {address} | awk '{{print $2; exit}}')\n\
           [ -z \"$dev\" ] || ip addr del {address}/{prefix} dev $dev\n\
         fi\n\
         mkdir -p /run/citusctl; : >\"/run/citusctl/vip-$RUN\"",
        address = vip.address,
        prefix = vip.prefix,
    );
    let title = format!("give {} back to vip-manager", vip.address);
    Some(
        Step::on(
            survivor,
            "vip",
            title,
            Script::new(act, "[ -e \"/run/citusctl/vip-$RUN\" ]"),
        )
        .optional(),
    )
}
