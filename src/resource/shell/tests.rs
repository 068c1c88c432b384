mod stamp;

use super::*;
use std::path::{Path, PathBuf};
use std::process::{Child, Command};

/// Runs steps with their functions; what is kept and noted goes below the directory. Gives whether they succeeded, and what they said.
pub(in crate::resource) fn run(dir: &Path, steps: &str) -> (bool, String) {
    let at = dir.display().to_string();
    let functions = prelude("r")
        .replace("/var/lib/citusctl", &format!("{at}/lib"))
        .replace("/etc/citusctl", &format!("{at}/noted"));
    sh(&format!("{functions}( set -e\n{steps}\n) 2>&1"))
}

fn sh(text: &str) -> (bool, String) {
    let output = Command::new("sh").args(["-c", text]).output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    (output.status.success(), said)
}

fn me() -> String {
    sh("id -un").1.trim().to_owned()
}

fn write<'a>(path: &'a str, owner: &'a str, content: &'a str) -> Write<'a> {
    Write {
        path,
        content: content.as_bytes(),
        mode: "0640",
        owner,
        group: owner,
        validate: None,
    }
}

/// Below a directory of root's: `canary`, which nobody may touch, and `home`, which belongs to `daemon`. `None` without root, who
/// alone can give a directory away.
struct Hostile {
    dir: tempfile::TempDir,
    before: String,
}

impl Hostile {
    fn new() -> Option<Self> {
        if sh("id -u").1 != "0\n" {
            return None;
        }
        let dir = tempfile::tempdir().unwrap();
        let at = dir.path().display();
        let (made, said) = sh(&format!(
            "cd {at}; chmod 755 .; mkdir canary; echo secret >canary/x; chmod 600 canary/x; mkdir canary/sub\n\
             mkdir -m 700 home; echo mine >home/own; mkdir home/conf; chown -R daemon:daemon home"
        ));
        assert!(made, "{said}");
        let mut hostile = Self {
            dir,
            before: String::new(),
        };
        hostile.before = hostile.canary();
        Some(hostile)
    }

    fn path(&self, name: &str) -> String {
        self.dir.path().join(name).display().to_string()
    }

    /// Everything about the canary that root alone may change.
    fn canary(&self) -> String {
        let at = self.path("canary");
        sh(&format!(
            "find {at} -printf '%p %u %g %m %s %T@\\n' | sort; cat {at}/x"
        ))
        .1
    }

    /// What the other account does.
    fn daemon(&self, text: &str) -> Child {
        let text = format!("cd {}\n{text}", self.path("home"));
        let words = ["--reuid", "daemon", "--regid", "daemon", "--init-groups"];
        let mut command = Command::new("setpriv");
        command.args(words).args(["sh", "-c", &text]);
        command.spawn().unwrap()
    }

    fn swap(&self) {
        let link = "mv conf old && ln -s ../canary conf";
        assert!(self.daemon(link).wait().unwrap().success());
    }

    fn run(&self, steps: &str) -> (bool, String) {
        run(self.dir.path(), steps)
    }
}

/// All that steps do with a path, on `conf` and on `x` in it.
fn every_way(hostile: &Hostile) -> Vec<String> {
    let (conf, file) = (hostile.path("home/conf"), hostile.path("home/conf/x"));
    let block = WriteBlock {
        path: &file,
        name: "b",
        lines: "# BEGIN citusctl b\n1\n# END citusctl b\n",
        first: false,
        seen: &crate::resource::sha256_hex(b""),
    };
    vec![
        write_file(&write(&file, "daemon", "new")),
        write_block(&block),
        format!("put_dir {conf} daemon daemon 0750"),
        format!("put_dir {file}/sub daemon daemon 0750"),
        format!("put_dir {conf}/sub daemon daemon 0750"),
        format!("put_link {file} /etc"),
        format!("keep {file}"),
        format!("move_aside {file}"),
        format!("beside {file} rm -rf --"),
    ]
}

#[test]
fn no_step_follows_a_link_that_another_account_put_there() {
    let Some(hostile) = Hostile::new() else {
        return;
    };
    hostile.swap();
    for step in every_way(&hostile) {
        let (done, said) = hostile.run(&step);
        assert!(!done, "{step}{said}");
        let home = hostile.path("home");
        let words = format!("`{home}/conf` is a link (to `../canary`)");
        assert!(said.contains(&words), "{step}{said}");
        assert!(
            said.contains("daemon") && said.contains("emove it"),
            "{said}"
        );
    }
    assert_eq!(hostile.canary(), hostile.before);
}

#[test]
fn the_way_by_path_would_have_been_caught() {
    let Some(hostile) = Hostile::new() else {
        return;
    };
    hostile.swap();
    let conf = hostile.path("home/conf");
    assert!(sh(&format!("chown daemon:daemon {conf}; chmod 0750 {conf}")).0);
    assert_ne!(hostile.canary(), hostile.before);
}

/// The other account swaps the directory for a link and back as fast as it can.
#[test]
fn a_link_that_comes_and_goes_while_steps_run_gains_nothing() {
    let Some(hostile) = Hostile::new() else {
        return;
    };
    let race = "while [ ! -e stop ]; do mv -T conf old; ln -sT ../canary conf; rm conf; mv -T old conf; done 2>/dev/null";
    let mut racer = hostile.daemon(race);
    let mut done = 0;
    for _ in 0..3 {
        for step in every_way(&hostile) {
            done += usize::from(hostile.run(&step).0);
        }
    }
    assert!(hostile.daemon(": >stop").wait().unwrap().success());
    racer.wait().unwrap();
    assert_eq!(hostile.canary(), hostile.before);
    assert!(done > 0, "no step met the directory itself");
}

#[test]
fn below_another_accounts_directory_everything_is_done_as_that_account() {
    let Some(hostile) = Hostile::new() else {
        return;
    };
    let path = hostile.path("home/conf/new/f.cfg");
    let step = write_file(&Write {
        validate: Some("grep -q content %s; id -un"),
        ..write(&path, "daemon", "content")
    });
    assert_eq!(hostile.run(&step), (true, "daemon\n".to_owned()));
    let stat = format!(
        "stat -c '%U %G %a' {path} {}",
        hostile.path("home/conf/new")
    );
    assert_eq!(sh(&stat).1, "daemon daemon 640\ndaemon daemon 755\n");
    let root = write_file(&write(&path, "root", "content"));
    let (done, said) = hostile.run(&root);
    assert!(
        !done && said.contains("is to belong to root, and daemon, who owns"),
        "{said}"
    );
    assert!(
        hostile
            .run(&format!(
                "put_dir {} daemon daemon 2750",
                hostile.path("home/conf")
            ))
            .0
    );
    assert_eq!(
        sh(&format!("stat -c '%U %a' {}", hostile.path("home/conf"))).1,
        "daemon 2750\n"
    );
}

#[test]
fn a_link_that_only_root_can_have_made_is_followed() {
    let Some(hostile) = Hostile::new() else {
        return;
    };
    let (home, pg) = (hostile.path("home"), hostile.path("pg"));
    assert!(hostile.run(&format!("put_link {pg} {home}")).0);
    let path = format!("{pg}/conf/f");
    assert!(hostile.run(&write_file(&write(&path, "daemon", "1"))).0);
    assert!(hostile.run(&write_file(&write(&path, "daemon", "2"))).0);
    let kept = hostile.path(&format!("lib/replaced/r/{}", path.trim_start_matches('/')));
    assert_eq!(std::fs::read_to_string(kept).unwrap(), "1");
    assert_eq!(
        std::fs::read_to_string(hostile.path("home/conf/f")).unwrap(),
        "2"
    );
}

#[test]
fn a_directory_that_several_accounts_can_write_to_takes_directories_and_no_files() {
    let Some(hostile) = Hostile::new() else {
        return;
    };
    let shared = hostile.path("shared");
    assert!(
        sh(&format!(
            "mkdir {shared}; chgrp daemon {shared}; chmod 775 {shared}"
        ))
        .0
    );
    assert!(
        hostile
            .run(&format!("put_dir {shared}/log daemon daemon 0750"))
            .0
    );
    assert_eq!(
        sh(&format!("stat -c '%U %a' {shared}/log")).1,
        "daemon 750\n"
    );
    let (done, said) = hostile.run(&write_file(&write(&format!("{shared}/f"), "root", "1")));
    assert!(
        !done && said.contains("the group daemon can write to"),
        "{said}"
    );
    assert!(sh(&format!("ln -s {} {shared}/l", hostile.path("canary"))).0);
    let (done, said) = hostile.run(&format!("put_dir {shared}/l/sub daemon daemon 0700"));
    assert!(!done && said.contains("is a link"), "{said}");
    assert_eq!(hostile.canary(), hostile.before);
}

#[test]
fn what_is_kept_is_never_kept_through_a_link() {
    let Some(hostile) = Hostile::new() else {
        return;
    };
    let x = hostile.path("home/conf/x");
    let link = format!("ln -s {}/x conf/x", hostile.path("canary"));
    assert!(hostile.daemon(&link).wait().unwrap().success());
    assert!(hostile.run(&format!("keep {x}")).0);
    assert!(
        hostile
            .daemon("rm conf/x; echo evil >conf/x")
            .wait()
            .unwrap()
            .success()
    );
    assert!(hostile.run(&format!("keep {x}; move_aside {x}")).0);
    assert_eq!(hostile.canary(), hostile.before);
    let kept: PathBuf = hostile
        .path(&format!("lib/replaced/r/{}", x.trim_start_matches('/')))
        .into();
    let count = std::fs::read_dir(kept.parent().unwrap()).unwrap().count();
    assert_eq!(count, 3, "the link, and what came after it twice");
}

#[test]
fn a_copy_is_made_and_brought_back_as_the_account_that_it_belongs_to() {
    let Some(hostile) = Hostile::new() else {
        return;
    };
    let (home, canary) = (hostile.path("home"), hostile.path("canary"));
    let (done, said) = hostile.run(&format!("copy_aside {home}"));
    assert!(done, "{said}");
    let kept = hostile.path(&format!("lib/replaced/r/{}", home.trim_start_matches('/')));
    let found = sh(&format!(
        "stat -c '%U %a' {kept}/own {kept}/conf; cat {kept}/own"
    ))
    .1;
    assert_eq!(found, "daemon 644\ndaemon 755\nmine\n");
    // What root alone can read, in a place that daemon can name.
    let (done, said) = hostile.run(&format!("copy_back {canary} x {home}"));
    assert!(!done && said.contains("ermission denied"), "{said}");
    let lead = format!("rm own && mv conf old && ln -s {canary} conf");
    assert!(hostile.daemon(&lead).wait().unwrap().success());
    let (done, said) = hostile.run(&format!(
        "copy_back {kept} own {home}; within {home} sh -c 'id -un; echo evil >conf/x'"
    ));
    assert!(!done && said.starts_with("daemon\n"), "{said}");
    assert_eq!(
        std::fs::read_to_string(hostile.path("home/own")).unwrap(),
        "mine\n"
    );
    assert_eq!(hostile.canary(), hostile.before);
}

#[test]
fn a_real_shell_writes_the_file_atomically() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("f.cfg").display().to_string();
    let content = "it's \"quoted\" $HOME `x` \\ %s\nCITUSCTL_END\n";
    let user = me();
    let step = write_file(&Write {
        validate: Some("grep -q quoted %s"),
        ..write(&path, &user, content)
    });
    assert_eq!(run(dir.path(), &step), (true, String::new()));
    assert_eq!(std::fs::read_to_string(&path).unwrap(), content);
    assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 1);
}

#[test]
fn a_refusing_validator_leaves_the_old_file() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("f").display().to_string();
    std::fs::write(&path, "old").unwrap();
    let user = me();
    let step = write_file(&Write {
        validate: Some("false"),
        ..write(&path, &user, "new")
    });
    assert!(!run(dir.path(), &step).0);
    assert_eq!(std::fs::read_to_string(&path).unwrap(), "old");
    assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 1);
}

#[test]
fn a_path_that_root_alone_can_change_needs_one_process() {
    let plain = |path: &str| {
        let parts = parts(path).expect("plainly written");
        sh(&format!("{}plain {parts}", bare(PLAIN))).0
    };
    assert!(plain("/etc/passwd"));
    assert!(!plain("/etc/nowhere") && !plain("/etc") && !plain("/etc/passwd/x"));
    // Everybody may write to /tmp.
    let dir = tempfile::tempdir().expect("dir");
    let file = dir.path().join("x");
    std::fs::write(&file, "x").expect("written");
    assert!(!plain(&file.display().to_string()));
    assert_eq!(parts("/a/b c").as_deref(), Some("/ /a '/a/b c'"));
    for path in ["/a/../b", "/a//b", "a", "/a/./b", "/a/"] {
        assert_eq!(parts(path), None, "{path}");
    }
    let expected = format!(
        "there\n{}",
        std::fs::read_to_string("/etc/passwd").expect("read")
    );
    assert_eq!(sh(&show_file("/etc/passwd")), (true, expected));
}

#[test]
fn a_file_in_a_directory_of_somebody_elses_is_not_plain() {
    let Some(hostile) = Hostile::new() else {
        return;
    };
    let own = hostile.dir.path().join("home/own");
    let (_, said) = sh(&format!(
        "{}plain {} && echo plain",
        bare(PLAIN),
        parts(&own.display().to_string()).expect("parts")
    ));
    assert_eq!(said, "");
}
