//! Ansible's connection variables and our own.

use super::Effect::{Nothing, Once, Reload, Settings};
use super::Kind::{Any, Bool, Int, OneOf, Path, Port, Record, Records, Secret, Text};
use super::Module::{Ansible, Citusctl};
use super::fields::{FACTS, REPO};
use super::{Form, Param, Support, used, with};

#[rustfmt::skip] // one parameter a line, as a table
pub(super) const TABLE: &[Param] = &[
    used(Ansible, "ansible_host", Text(Form::Line), "", "I", "address to connect to, if not the host's name", Nothing),
    used(Ansible, "ansible_ssh_host", Text(Form::Line), "", "I", "older name of ansible_host", Nothing),
    used(Ansible, "ansible_port", Port, "", "I", "SSH port", Nothing),
    used(Ansible, "ansible_ssh_port", Port, "", "I", "older name of ansible_port", Nothing),
    used(Ansible, "ansible_user", Text(Form::Line), "", "I", "login user", Nothing),
    used(Ansible, "ansible_ssh_user", Text(Form::Line), "", "I", "older name of ansible_user", Nothing),
    used(Ansible, "ansible_password", Secret, "", "I", "login password", Nothing),
    used(Ansible, "ansible_ssh_pass", Secret, "", "I", "older name of ansible_password", Nothing),
    used(Ansible, "ansible_ssh_password", Secret, "", "I", "older name of ansible_password", Nothing),
    used(Ansible, "ansible_ssh_private_key_file", Text(Form::Line), "", "I", "private key", Nothing),
    used(Ansible, "ansible_private_key_file", Text(Form::Line), "", "I", "other name of it", Nothing),
    used(Ansible, "ansible_ssh_args", Text(Form::Line), "", "I", "arguments of ssh, before all others: -i -F -J -l -p, -o with Port, User, ProxyJump, ProxyCommand, host keys; `check` names those without effect", Nothing),
    used(Ansible, "ansible_ssh_common_args", Text(Form::Line), "", "I", "the same, after what other parameters say", Nothing),
    used(Ansible, "ansible_ssh_extra_args", Text(Form::Line), "", "I", "the same, last", Nothing),
    used(Ansible, "ansible_host_key_checking", Bool, "", "I", "false: unknown host keys are accepted and recorded; changed ones are refused all the same", Nothing),
    used(Ansible, "ansible_ssh_host_key_checking", Bool, "", "I", "the same, and stronger", Nothing),
    used(Ansible, "ansible_become", Bool, "", "I", "become root by sudo", Nothing),
    used(Ansible, "ansible_become_user", OneOf(&["root"]), "", "I", "whom to become", Nothing),
    used(Ansible, "ansible_become_password", Secret, "", "I", "password for sudo", Nothing),
    used(Ansible, "ansible_become_pass", Secret, "", "I", "older name of it", Nothing),
    used(Ansible, "ansible_become_method", OneOf(&["sudo"]), "", "I", "how to become root", Nothing),
    used(Ansible, "ansible_connection", OneOf(&["ssh", "local", "smart", "paramiko"]), "", "I", "`local`: this machine, without SSH", Nothing),
    with(used(Ansible, "ansible_python_interpreter", Any, "", "I", "no Python is needed", Nothing), Support::Ignored),
    with(used(Ansible, "ansible_group_priority", Any, "", "C", "order of groups of the same depth", Nothing), Support::Ignored),
    with(used(Ansible, "ansible_ssh_pipelining", Any, "", "G", "of no meaning here", Nothing), Support::Ignored),
    used(Citusctl, "citusctl_host_key", Text(Form::Line), "", "I", "the host's SSH key, pinned: `ssh-ed25519 AAAA...` or `SHA256:...`", Nothing),
    used(Citusctl, "citus_version", Text(Form::Version), "", "C", "version of Citus, if `check` shall judge it before anything is installed", Nothing),
    used(Citusctl, "patroni_version", Text(Form::Version), "", "C", "version of Patroni to render for before it is installed; without it the distribution's", Reload),
    used(Citusctl, "node_facts", Record(FACTS), "{}", "I", "stated facts for rendering offline: cpu, mem_mb, disk_gb, os", Settings),
    used(Citusctl, "node_repos", Records(REPO), "[]", "C", "package repositories to add: name, line as apt reads it, and the key that signs it: its text, or a path on the host", Nothing),
    used(Citusctl, "node_debs_dir", Path, "", "C", "directory on the host with .deb files, used as a repository; nobody but root may write there", Nothing),
    used(Citusctl, "pg_synchronous_mode", OneOf(&["auto", "off", "on", "quorum"]), "\"auto\"", "C", "Patroni's synchronous_mode; auto: quorum in a formation, else by pg_rpo and profile", Reload),
    used(Citusctl, "pg_adopt_data", Bool, "false", "A", "take over a PostgreSQL data directory that citusctl did not make", Once),
    used(Citusctl, "pg_min_free_mb", Int(0, i64::MAX), "512", "C", "MiB that must be free where the data goes before a first run", Once),
    used(Citusctl, "citus_coordinator_port", Port, "5000", "C", "service of a formation: read-write on the coordinator", Reload),
    used(Citusctl, "citus_any_node_port", Port, "5001", "C", "service of a formation: any worker group's leader", Reload),
];
