//! Ansible's connection variables and our own.

use super::Effect::{Nothing, Once, Reload, Settings};
use super::Module::{Ansible, Citusctl};
use super::ParamKind::{Any, Bool, Int, OneOf, Path, Port, Record, Records, Secret, Text};
use super::fields::{FACTS, REPO};
use super::key::table;
use super::{Form, Param, Support, used, with};
use serde_json::Value;

// One parameter a line.
#[rustfmt::skip]
table! {
    ANSIBLE_HOST: Option<String> = used(Ansible, "ansible_host", Text(Form::Line), "", "I", "address to connect to, if not the host's name", Nothing);
    ANSIBLE_SSH_HOST: Option<String> = used(Ansible, "ansible_ssh_host", Text(Form::Line), "", "I", "older name of ansible_host", Nothing);
    ANSIBLE_PORT: Option<u16> = used(Ansible, "ansible_port", Port, "", "I", "SSH port", Nothing);
    ANSIBLE_SSH_PORT: Option<u16> = used(Ansible, "ansible_ssh_port", Port, "", "I", "older name of ansible_port", Nothing);
    ANSIBLE_USER: Option<String> = used(Ansible, "ansible_user", Text(Form::Line), "", "I", "login user", Nothing);
    ANSIBLE_SSH_USER: Option<String> = used(Ansible, "ansible_ssh_user", Text(Form::Line), "", "I", "older name of ansible_user", Nothing);
    ANSIBLE_PASSWORD: Option<crate::secret::Secret> = used(Ansible, "ansible_password", Secret, "", "I", "login password", Nothing);
    ANSIBLE_SSH_PASS: Option<crate::secret::Secret> = used(Ansible, "ansible_ssh_pass", Secret, "", "I", "older name of ansible_password", Nothing);
    ANSIBLE_SSH_PASSWORD: Option<crate::secret::Secret> = used(Ansible, "ansible_ssh_password", Secret, "", "I", "older name of ansible_password", Nothing);
    ANSIBLE_SSH_PRIVATE_KEY_FILE: Option<String> = used(Ansible, "ansible_ssh_private_key_file", Text(Form::Line), "", "I", "private key", Nothing);
    ANSIBLE_PRIVATE_KEY_FILE: Option<String> = used(Ansible, "ansible_private_key_file", Text(Form::Line), "", "I", "other name of it", Nothing);
    ANSIBLE_SSH_ARGS: Option<String> = used(Ansible, "ansible_ssh_args", Text(Form::Line), "", "I", "arguments of ssh, before all others: -i -F -J -l -p, -o with Port, User, ProxyJump, ProxyCommand, host keys; `check` names those without effect", Nothing);
    ANSIBLE_SSH_COMMON_ARGS: Option<String> = used(Ansible, "ansible_ssh_common_args", Text(Form::Line), "", "I", "the same, after what other parameters say", Nothing);
    ANSIBLE_SSH_EXTRA_ARGS: Option<String> = used(Ansible, "ansible_ssh_extra_args", Text(Form::Line), "", "I", "the same, last", Nothing);
    ANSIBLE_HOST_KEY_CHECKING: Option<bool> = used(Ansible, "ansible_host_key_checking", Bool, "", "I", "false: unknown host keys are accepted and recorded; changed ones are refused all the same", Nothing);
    ANSIBLE_SSH_HOST_KEY_CHECKING: Option<bool> = used(Ansible, "ansible_ssh_host_key_checking", Bool, "", "I", "the same, and stronger", Nothing);
    ANSIBLE_BECOME: Option<bool> = used(Ansible, "ansible_become", Bool, "", "I", "become root by sudo", Nothing);
    ANSIBLE_BECOME_USER: Option<String> = used(Ansible, "ansible_become_user", OneOf(&["root"]), "", "I", "whom to become", Nothing);
    ANSIBLE_BECOME_PASSWORD: Option<crate::secret::Secret> = used(Ansible, "ansible_become_password", Secret, "", "I", "password for sudo", Nothing);
    ANSIBLE_BECOME_PASS: Option<crate::secret::Secret> = used(Ansible, "ansible_become_pass", Secret, "", "I", "older name of it", Nothing);
    ANSIBLE_BECOME_METHOD: Option<String> = used(Ansible, "ansible_become_method", OneOf(&["sudo"]), "", "I", "how to become root", Nothing);
    ANSIBLE_CONNECTION: Option<String> = used(Ansible, "ansible_connection", OneOf(&["ssh", "local", "smart", "paramiko"]), "", "I", "`local`: this machine, without SSH", Nothing);
    ANSIBLE_PYTHON_INTERPRETER: Value = with(used(Ansible, "ansible_python_interpreter", Any, "", "I", "no Python is needed", Nothing), Support::Ignored);
    ANSIBLE_GROUP_PRIORITY: Value = with(used(Ansible, "ansible_group_priority", Any, "", "C", "order of groups of the same depth", Nothing), Support::Ignored);
    ANSIBLE_SSH_PIPELINING: Value = with(used(Ansible, "ansible_ssh_pipelining", Any, "", "G", "of no meaning here", Nothing), Support::Ignored);
    CITUSCTL_HOST_KEY: Option<String> = used(Citusctl, "citusctl_host_key", Text(Form::Line), "", "I", "the host's SSH key, pinned: `ssh-ed25519 AAAA...` or `SHA256:...`", Nothing);
    CITUS_VERSION: Option<String> = used(Citusctl, "citus_version", Text(Form::Version), "", "C", "version of Citus, if `check` shall judge it before anything is installed", Nothing);
    PATRONI_VERSION: Option<String> = used(Citusctl, "patroni_version", Text(Form::Version), "", "C", "version of Patroni to render for before it is installed; without it the distribution's", Once);
    NODE_FACTS: Value = used(Citusctl, "node_facts", Record(FACTS), "{}", "I", "stated facts for rendering offline: cpu, mem_mb, disk_gb, os", Settings);
    NODE_REPOS: Value = used(Citusctl, "node_repos", Records(REPO), "[]", "C", "package repositories to add: name, line as apt reads it, and the key that signs it: its text, or a path on the host", Nothing);
    NODE_DEBS_DIR: Option<String> = used(Citusctl, "node_debs_dir", Path, "", "C", "directory on the host with .deb files, used as a repository; nobody but root may write there", Nothing);
    PG_SYNCHRONOUS_MODE: String = used(Citusctl, "pg_synchronous_mode", OneOf(&["auto", "off", "on", "quorum"]), "\"auto\"", "C", "Patroni's synchronous_mode; auto: quorum in a formation, else by pg_rpo and profile", Reload);
    PG_ADOPT_DATA: bool = used(Citusctl, "pg_adopt_data", Bool, "false", "A", "take over a PostgreSQL data directory that citusctl did not make", Once);
    PG_RECREATE_DATABASES: bool = used(Citusctl, "pg_recreate_databases", Bool, "false", "A", "make a declared database again, empty, that was there once and is gone; false refuses", Nothing);
    PG_MIN_FREE_MB: i64 = used(Citusctl, "pg_min_free_mb", Int(0, i64::MAX), "512", "C", "MiB that must be free where the data goes before a first run", Once);
    CITUS_COORDINATOR_PORT: u16 = used(Citusctl, "citus_coordinator_port", Port, "5000", "C", "service of a formation: read-write on the coordinator", Reload);
    CITUS_ANY_NODE_PORT: u16 = used(Citusctl, "citus_any_node_port", Port, "5001", "C", "service of a formation: any worker group's leader", Reload);
    HAPROXY_PAGE_REMOTE: bool = used(Citusctl, "haproxy_page_remote", Bool, "false", "G", "serve HAProxy's statistics page to other hosts, too (Pigsty: true): its password goes over the network in clear", Reload);
}
