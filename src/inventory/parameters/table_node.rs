//! CA, nodes, keepalived, HAProxy and etcd.

use super::Effect::{Identity, Nothing, Once, Reload, Restart, Service};
use super::Module::{Ca, Etcd, Haproxy, Node, NodeVip, Removal};
use super::ParamKind::{
    Bool, Cidr, Duration, Float, Int, Ip, Map, Networks, OneOf, Path, Port, Ports, Records, Secret,
    Text, Texts,
};
use super::fields::{HAPROXY_SERVICE, UPSTREAM};
use super::key::table;
use super::{Form, Param, Support, planned, used, with};
use serde_json::Value;

const TUNE: &[&str] = &["none", "oltp", "olap", "crit", "tiny"];

// One parameter a line.
#[rustfmt::skip]
table! {
    CA_CREATE: bool = used(Ca, "ca_create", Bool, "true", "G", "make the certificate authority's key and certificate when there are none; false: stop instead", Once);
    CA_CN: String = used(Ca, "ca_cn", Text(Form::Line), "\"citusctl-ca\"", "G", "common name of the certificate authority (Pigsty: pigsty-ca)", Once);
    CERT_VALIDITY: String = used(Ca, "cert_validity", Duration, "\"825d\"", "G", "lifetime of certificates that are issued from now on, of servers and clients (`citusctl cert renew` issues new ones)", Nothing);
    CA_METHOD: Option<String> = with(used(Ca, "ca_method", Text(Form::Line), "", "G", "removed in Pigsty 4", Nothing), Support::Legacy("write `ca_create: true` or `false`"));
    NODENAME: Option<String> = used(Node, "nodename", Text(Form::Line), "", "I", "the host's name; without it `<pg_cluster>-<pg_seq>` or the name it has", Reload);
    NODE_CLUSTER: String = with(used(Node, "node_cluster", Text(Form::Line), "\"nodes\"", "C", "label of a set of hosts for monitoring and name servers; of no meaning here", Nothing), Support::Ignored);
    NODENAME_OVERWRITE: bool = used(Node, "nodename_overwrite", Bool, "true", "C", "set the operating system's host name to the node name", Nothing);
    NODENAME_EXCHANGE: bool = used(Node, "nodename_exchange", Bool, "false", "C", "put the names of all hosts into each other's /etc/hosts", Nothing);
    NODE_ID_FROM_PG: bool = used(Node, "node_id_from_pg", Bool, "true", "C", "borrow the node's name from PostgreSQL's identity", Reload);
    NODE_WRITE_ETC_HOSTS: bool = used(Node, "node_write_etc_hosts", Bool, "true", "G", "manage a block of /etc/hosts at all", Nothing);
    NODE_DEFAULT_ETC_HOSTS: Value = used(Node, "node_default_etc_hosts", Texts(Form::HostsRecord), "[]", "G", "static records, each `ADDRESS NAME...` (Pigsty: its portal's name)", Nothing);
    NODE_ETC_HOSTS: Value = used(Node, "node_etc_hosts", Texts(Form::HostsRecord), "[]", "C", "more static records", Nothing);
    NODE_DNS_METHOD: String = used(Node, "node_dns_method", OneOf(&["add", "none", "overwrite"]), "\"none\"", "C", "what to do with /etc/resolv.conf: add (in front of what is there), overwrite, none (Pigsty: add)", Nothing);
    NODE_DNS_SERVERS: Value = used(Node, "node_dns_servers", Texts(Form::Line), "[]", "C", "addresses of name servers; the resolver asks the first three", Nothing);
    NODE_DNS_OPTIONS: Value = used(Node, "node_dns_options", Texts(Form::Resolver), "[]", "C", "more lines of resolv.conf, as `options timeout:1`", Nothing);
    NODE_REPO_MODULES: String = used(Node, "node_repo_modules", Text(Form::NameList), "\"\"", "C", "modules of `repo_upstream` whose repositories are added, with commas (Pigsty: local)", Nothing);
    REPO_UPSTREAM: Value = used(Node, "repo_upstream", Records(UPSTREAM), "[]", "G", "repositories to choose from: name, module, releases, arch, baseurl by region, and the key that signs it (as in `node_repos`); Pigsty brings its own, here there are none", Nothing);
    REGION: String = used(Node, "region", OneOf(&["default", "china", "europe"]), "\"default\"", "G", "which `baseurl` of `repo_upstream` is taken, where it has that one", Nothing);
    NODE_REPO_REMOVE: bool = planned(Node, "node_repo_remove", Bool, "false", "C", "ignored: repositories are added and never removed");
    NODE_PACKAGES: Value = used(Node, "node_packages", Texts(Form::Packages), "[]", "C", "packages or aliases that are installed", Nothing);
    NODE_DEFAULT_PACKAGES: Value = used(Node, "node_default_packages", Texts(Form::Packages), "[]", "G", "packages or aliases that are always installed", Nothing);
    PACKAGE_MAP: Value = used(Node, "package_map", Map(Form::Name, Form::Packages), "{}", "G", "aliases of packages, over those that citusctl knows: `alias: name name`, `$v` is `pg_version`", Nothing);
    NODE_SELINUX_MODE: String = planned(Node, "node_selinux_mode", OneOf(&["permissive", "enforcing", "disabled"]), "\"permissive\"", "C", "SELinux mode");
    NODE_FIREWALL_MODE: String = planned(Node, "node_firewall_mode", OneOf(&["zone", "off", "none"]), "\"none\"", "C", "firewall mode");
    NODE_FIREWALL_INTRANET: Value = used(Node, "node_firewall_intranet", Networks, "[\"10.0.0.0/8\",\"192.168.0.0/16\",\"172.16.0.0/12\"]", "C", "networks that the HBA alias `intra` stands for", Reload);
    NODE_FIREWALL_PUBLIC_PORT: Value = planned(Node, "node_firewall_public_port", Ports, "[22,80,443]", "C", "ports open to the world");
    NODE_DISABLE_NUMA: bool = planned(Node, "node_disable_numa", Bool, "false", "C", "switch NUMA off at boot");
    NODE_DISABLE_SWAP: bool = used(Node, "node_disable_swap", Bool, "false", "C", "switch swap off, now and in /etc/fstab; not in containers", Nothing);
    NODE_STATIC_NETWORK: bool = planned(Node, "node_static_network", Bool, "true", "C", "keep resolv.conf from being rewritten");
    NODE_DISK_PREFETCH: bool = planned(Node, "node_disk_prefetch", Bool, "false", "C", "readahead for hard disks");
    NODE_KERNEL_MODULES: Value = used(Node, "node_kernel_modules", Texts(Form::Module), "[]", "C", "kernel modules that are loaded, now and at boot; not in containers", Nothing);
    NODE_HUGEPAGE_COUNT: i64 = used(Node, "node_hugepage_count", Int(0, i64::MAX), "0", "C", "huge pages of 2 MiB", Nothing);
    NODE_HUGEPAGE_RATIO: f64 = used(Node, "node_hugepage_ratio", Float(0.0, 0.9), "0", "C", "share of memory in huge pages", Nothing);
    NODE_OVERCOMMIT_RATIO: i64 = used(Node, "node_overcommit_ratio", Int(0, 100), "0", "C", "above 0: vm.overcommit_memory 2 with this ratio", Nothing);
    NODE_TUNE: String = used(Node, "node_tune", OneOf(TUNE), "\"oltp\"", "C", "kernel profile", Nothing);
    NODE_TUNED_PROFILE_DIR: String = planned(Node, "node_tuned_profile_dir", Path, "\"/etc/tuned\"", "C", "where tuned keeps profiles");
    NODE_SYSCTL_PARAMS: Value = used(Node, "node_sysctl_params", Map(Form::Sysctl, Form::SysctlValue), "{}", "C", "more kernel parameters", Nothing);
    NODE_DATA: String = used(Node, "node_data", Path, "\"/data\"", "C", "main data directory", Nothing);
    NODE_ADMIN_ENABLED: bool = used(Node, "node_admin_enabled", Bool, "true", "C", "make an administrator's account, if `node_admin_pk_list` has a key for it", Nothing);
    NODE_ADMIN_UID: i64 = used(Node, "node_admin_uid", Int(1, 65535), "88", "C", "its user id", Nothing);
    NODE_ADMIN_USERNAME: String = used(Node, "node_admin_username", Text(Form::UnixUser), "\"dba\"", "C", "its name", Nothing);
    NODE_ADMIN_SUDO: String = used(Node, "node_admin_sudo", OneOf(&["nopass", "all", "limit", "none"]), "\"nopass\"", "C", "what it may do with sudo; limit: systemctl and journalctl, which is root in effect", Nothing);
    NODE_ADMIN_SSH_EXCHANGE: bool = planned(Node, "node_admin_ssh_exchange", Bool, "false", "C", "let the accounts of all hosts into each other");
    NODE_ADMIN_PK_CURRENT: bool = planned(Node, "node_admin_pk_current", Bool, "false", "C", "authorise the operator's own key");
    NODE_ADMIN_PK_LIST: Value = used(Node, "node_admin_pk_list", Texts(Form::PublicKey), "[]", "C", "authorised keys", Nothing);
    NODE_ALIASES: Value = used(Node, "node_aliases", Map(Form::Alias, Form::Line), "{}", "C", "shell aliases", Nothing);
    NODE_TIMEZONE: String = used(Node, "node_timezone", Text(Form::Zone), "\"\"", "C", "time zone", Nothing);
    NODE_NTP_ENABLED: bool = used(Node, "node_ntp_enabled", Bool, "false", "C", "run chrony (Pigsty: true); without it a host keeps its own ways", Service);
    NODE_NTP_SERVERS: Value = used(Node, "node_ntp_servers", Texts(Form::TimeSource), "[\"pool pool.ntp.org iburst\"]", "C", "time servers", Restart);
    NODE_CRONTAB_OVERWRITE: bool = with(used(Node, "node_crontab_overwrite", Bool, "true", "C", "of no meaning here: /etc/crontab is left alone", Nothing), Support::Ignored);
    NODE_CRONTAB: Value = used(Node, "node_crontab", Texts(Form::CronSystem), "[]", "C", "lines in the form of /etc/crontab, with a user; they go to /etc/cron.d/citusctl", Nothing);
    VIP_ENABLED: bool = used(NodeVip, "vip_enabled", Bool, "false", "C", "run keepalived for an address of HAProxy hosts", Service);
    VIP_ADDRESS: Option<String> = used(NodeVip, "vip_address", Ip, "", "C", "the address", Reload);
    VIP_VRID: Option<i64> = used(NodeVip, "vip_vrid", Int(1, 254), "", "C", "VRRP id, unique in the network", Reload);
    VIP_ROLE: String = used(NodeVip, "vip_role", OneOf(&["master", "backup", "MASTER", "BACKUP"]), "\"backup\"", "I", "initial role", Reload);
    VIP_PREEMPT: bool = used(NodeVip, "vip_preempt", Bool, "false", "C", "take the address back", Reload);
    VIP_INTERFACE: String = used(NodeVip, "vip_interface", Text(Form::Interface), "\"auto\"", "C", "interface; auto: the one with the host's address", Reload);
    VIP_DNS_SUFFIX: String = planned(NodeVip, "vip_dns_suffix", Text(Form::Domain), "\"\"", "C", "suffix of its name");
    VIP_AUTH_PASS: crate::secret::Secret = used(NodeVip, "vip_auth_pass", Secret, "\"\"", "C", "VRRP password: eight characters that go over the network in clear; empty: none", Reload);
    HAPROXY_ENABLED: bool = used(Haproxy, "haproxy_enabled", Bool, "true", "C", "run HAProxy on this host", Service);
    HAPROXY_CLEAN: bool = planned(Haproxy, "haproxy_clean", Bool, "false", "G", "not needed: files that left the inventory are removed");
    HAPROXY_RELOAD: bool = planned(Haproxy, "haproxy_reload", Bool, "true", "A", "not needed: reloads are planned");
    HAPROXY_AUTH_ENABLED: bool = used(Haproxy, "haproxy_auth_enabled", Bool, "true", "G", "ask for a password on the statistics page", Reload);
    HAPROXY_ADMIN_USERNAME: String = used(Haproxy, "haproxy_admin_username", Text(Form::Login), "\"admin\"", "G", "user of the statistics page", Reload);
    HAPROXY_ADMIN_PASSWORD: crate::secret::Secret = used(Haproxy, "haproxy_admin_password", Secret, "\"pigsty\"", "G", "its password", Reload);
    HAPROXY_EXPORTER_PORT: u16 = used(Haproxy, "haproxy_exporter_port", Port, "9101", "G", "statistics page and metrics", Reload);
    HAPROXY_CLIENT_TIMEOUT: String = used(Haproxy, "haproxy_client_timeout", Text(Form::HaproxyTime), "\"24h\"", "G", "idle clients", Reload);
    HAPROXY_SERVER_TIMEOUT: String = used(Haproxy, "haproxy_server_timeout", Text(Form::HaproxyTime), "\"24h\"", "G", "idle servers", Reload);
    HAPROXY_SERVICES: Value = used(Haproxy, "haproxy_services", Records(HAPROXY_SERVICE), "[]", "C", "more services: name, port, servers, ...", Reload);
    ETCD_SEQ: Option<i64> = used(Etcd, "etcd_seq", Int(0, i64::MAX), "", "I", "number of the member, unique, from 1", Identity);
    ETCD_CLUSTER: String = used(Etcd, "etcd_cluster", Text(Form::Name), "\"etcd\"", "C", "name of the cluster; equals the group's name", Identity);
    ETCD_DATA: String = used(Etcd, "etcd_data", Path, "\"/data/etcd\"", "C", "data directory", Identity);
    ETCD_PORT: u16 = used(Etcd, "etcd_port", Port, "2379", "G", "client port", Identity);
    ETCD_PEER_PORT: u16 = used(Etcd, "etcd_peer_port", Port, "2380", "G", "peer port", Identity);
    ETCD_LEARNER: bool = used(Etcd, "etcd_learner", Bool, "false", "I", "join without a vote", Identity);
    ETCD_INIT: String = used(Etcd, "etcd_init", OneOf(&["new", "existing"]), "\"new\"", "A", "whether a member's first start makes a cluster or joins one", Once);
    ETCD_ELECTION_TIMEOUT: i64 = used(Etcd, "etcd_election_timeout", Int(50, 50000), "1000", "C", "milliseconds", Restart);
    ETCD_HEARTBEAT_INTERVAL: i64 = used(Etcd, "etcd_heartbeat_interval", Int(10, 10000), "100", "C", "milliseconds", Restart);
    ETCD_ROOT_PASSWORD: crate::secret::Secret = used(Etcd, "etcd_root_password", Secret, "\"Etcd.Root\"", "G", "password of etcd's root user", Nothing);
    ETCD_SAFEGUARD: bool = used(Etcd, "etcd_safeguard", Bool, "false", "G", "refuse removal", Nothing);
    ETCD_RM_DATA: Option<bool> = used(Removal, "etcd_rm_data", Bool, "", "A", "removal: true deletes the data, false leaves it where it is; not given: it is put aside (Pigsty: true)", Nothing);
    ETCD_RM_PKG: bool = used(Removal, "etcd_rm_pkg", Bool, "false", "A", "removal: uninstall packages as well", Nothing);
    ETCD_CLEAN: Option<bool> = with(used(Etcd, "etcd_clean", Bool, "", "A", "removed in Pigsty 4", Nothing), Support::Legacy("it has no effect; `citusctl etcd reset` will do what it did"));
    ADMIN_IP: Option<String> = used(Node, "admin_ip", Ip, "", "G", "the control node; allowed to reach Patroni, and `${admin_ip}` in values", Reload);
    NODE_FIREWALL_INTRANET_V6: Option<String> = with(used(Node, "node_firewall_intranet_v6", Cidr, "", "C", "more networks for `intra`", Nothing), Support::Ignored);
}
