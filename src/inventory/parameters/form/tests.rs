//! What each form takes and what it refuses.

use super::Form;

fn takes(form: Form, texts: &[&str]) {
    for text in texts {
        assert_eq!(form.fault(text), None, "{form:?}: {text}");
    }
}

/// Pairs of a text and words of the reason.
fn refuses(form: Form, texts: &[(&str, &str)]) {
    for (text, words) in texts {
        let why = form.fault(text).unwrap_or_default();
        assert!(
            why.contains(words),
            "{form:?}: {text:?}: {why:?} is not {words:?}"
        );
    }
}

const ALL: [Form; 37] = [
    Form::Prose,
    Form::Line,
    Form::Key,
    Form::Name,
    Form::NameList,
    Form::SqlName,
    Form::RoleName,
    Form::UnixUser,
    Form::FileName,
    Form::Interface,
    Form::HostAddr,
    Form::Listen,
    Form::Bind,
    Form::Domain,
    Form::Login,
    Form::Setting,
    Form::Libraries,
    Form::Locale,
    Form::Zone,
    Form::Packages,
    Form::Module,
    Form::Sysctl,
    Form::SysctlValue,
    Form::Alias,
    Form::CronSystem,
    Form::CronOwn,
    Form::HostsRecord,
    Form::Resolver,
    Form::TimeSource,
    Form::PublicKey,
    Form::AptLine,
    Form::Url,
    Form::HttpPath,
    Form::HaproxyWords,
    Form::HaproxyLine,
    Form::HaproxyTime,
    Form::PgTime,
];

#[test]
fn no_form_of_a_line_takes_a_line_end_or_a_control_character() {
    let whole = [Form::Prose, Form::Key, Form::Packages, Form::HaproxyLine];
    for form in ALL {
        for odd in ['\0', '\u{1b}', '\u{85}', '\u{2028}'] {
            assert!(
                form.fault(&format!("a{odd}b")).is_some(),
                "{form:?} {odd:?}"
            );
        }
        for end in ["a\nb", "a\rb", "${admin_ip}\nb", "\n"] {
            assert!(
                whole.contains(&form) || form.fault(end).is_some(),
                "{form:?} {end:?}"
            );
        }
        assert_eq!(form.fault(""), None, "{form:?}");
    }
}

#[test]
fn lines_of_cron() {
    let both = ["*/5 0-6,22 1 jan-mar Mon,fri", "@daily"];
    for time in both {
        takes(Form::CronSystem, &[&format!("{time} root /bin/true 50%")]);
        takes(Form::CronOwn, &[&format!("{time} /bin/true # comment")]);
    }
    takes(Form::CronSystem, &["MAILTO=dba@example.com", "# a comment"]);
    let system = [
        (
            "0 1 * * * /pg/bin/pg-backup full",
            "`/pg/bin/pg-backup` is no user",
        ),
        ("0 1 * * * reboot", "no command follows `reboot`"),
        ("0 1 * * *", "has no command"),
        ("@dayly root true", "`@dayly` is no time"),
        ("0 25x * * * root true", "`25x` is no time"),
        ("0 1 * * * root true\n* * * * * root evil", "line end"),
    ];
    refuses(Form::CronSystem, &system);
    let own = [
        (
            "0 1 * * * postgres /pg/bin/pg-backup full",
            "names the user `postgres`",
        ),
        ("@daily root reboot", "names the user `root`"),
        ("PATH=/tmp", "holds for all lines"),
        (" @daily true", "begins with a blank"),
        ("* * * * * true\n* * * * * root evil", "line end"),
    ];
    refuses(Form::CronOwn, &own);
}

#[test]
fn names_and_addresses() {
    takes(Form::UnixUser, &["dba", "_apt", "pg-1"]);
    refuses(
        Form::UnixUser,
        &[
            ("a b", "blank"),
            ("9a", "begins neither"),
            ("dba,root", "`,`"),
            ("%wheel", "`%`"),
        ],
    );
    takes(Form::FileName, &["pgdg", "a.b-c_1"]);
    refuses(
        Form::FileName,
        &[
            ("../x", "begins with `.`"),
            ("a/b", "`/`"),
            ("-o", "begins with `-`"),
        ],
    );
    takes(Form::Interface, &["auto", "eth0", "bond0.100"]);
    refuses(
        Form::Interface,
        &[
            ("eth0; reboot", "`;`"),
            ("averyverylongname", "bytes"),
            ("eth0 {", "blank"),
        ],
    );
    takes(
        Form::Listen,
        &["0.0.0.0", "*", "${ip},${vip}, ${lo}", "::", "::1,localhost"],
    );
    refuses(
        Form::Listen,
        &[
            ("0.0.0.0'", "no address"),
            ("eth0", "no address"),
            ("0.0.0.0:1", "no address"),
        ],
    );
    takes(Form::Bind, &["*", "${vip}", "10.0.0.1", "::"]);
    refuses(Form::Bind, &[("10.0.0.1:80 interface", "no address")]);
    takes(
        Form::Zone,
        &["Europe/Paris", "Etc/GMT+3", "America/Port-au-Prince"],
    );
    refuses(
        Form::Zone,
        &[("../../etc/shadow", "leads out"), ("/etc/x", "leads out")],
    );
    takes(
        Form::Packages,
        &[
            "postgresql-$v citus",
            "a,b",
            "libc6=2.1:amd64",
            "pg_${pg_version}*",
        ],
    );
    refuses(
        Form::Packages,
        &[("a -o Dpkg::Pre", "begins with `-`"), ("a;b", "`;`")],
    );
    takes(Form::Setting, &["search_path", "citus.node"]);
    refuses(
        Form::Setting,
        &[
            ("a,b", "`,`"),
            ("x\nadmin_users", "line end"),
            ("a b", "blank"),
            ("10.0.0.1", "does not begin with a letter"),
            ("citus.", "does not begin with a letter"),
        ],
    );
    takes(
        Form::Libraries,
        &["$libdir/passwordcheck_cracklib, citus", "vchord.so"],
    );
    refuses(Form::Libraries, &[("a'b", "`'`")]);
    takes(Form::RoleName, &["dbuser_dba"]);
    refuses(Form::RoleName, &[("a, b", "`,`"), ("a\"", "`\"`")]);
}

#[test]
fn lines_of_files() {
    takes(
        Form::HostsRecord,
        &["10.0.0.1 a b.c # words", "${admin_ip} i.pigsty", "::1 a"],
    );
    refuses(
        Form::HostsRecord,
        &[
            ("a 10.0.0.1", "`a` is no address"),
            ("10.0.0.1", "no name follows"),
        ],
    );
    takes(Form::Resolver, &["options timeout:1"]);
    refuses(
        Form::Resolver,
        &[
            ("timeout:1", "begins with `timeout:1`"),
            ("options", "nothing follows"),
        ],
    );
    takes(
        Form::TimeSource,
        &["pool pool.ntp.org iburst", "server ${admin_ip} iburst"],
    );
    refuses(Form::TimeSource, &[("pool.ntp.org", "begins with")]);
    takes(
        Form::PublicKey,
        &[
            "ssh-ed25519 AAAA me",
            "from=\"10.0.0.0/8\" ssh-rsa AAAA",
            "sk-ssh-ed25519@openssh.com AAAA",
        ],
    );
    refuses(
        Form::PublicKey,
        &[
            ("AAAA", "no kind of key"),
            ("ssh-rsa", "nothing follows"),
            ("ssh-rsa A\nssh-rsa B", "line end"),
        ],
    );
    takes(
        Form::AptLine,
        &["deb [trusted=yes] file:/srv ./", "deb-src https://a b c"],
    );
    refuses(Form::AptLine, &[("https://a b c", "begins with")]);
    takes(
        Form::Key,
        &[
            "/usr/share/keyrings/a.gpg",
            "-----BEGIN PGP PUBLIC KEY BLOCK-----\n\nAAAA\n-----END",
        ],
    );
    refuses(Form::Key, &[("/a b] x", "blank"), ("/a/../b", "`..`")]);
    takes(Form::HttpPath, &["/primary", "/replica?lag=10MB"]);
    refuses(
        Form::HttpPath,
        &[
            ("primary", "begin with `/`"),
            ("/primary ver HTTP/1.1", "blank"),
        ],
    );
    takes(
        Form::HaproxyLine,
        &[
            "http-request deny if { path /x }",
            "option tcplog",
            "log-format \"%ci #%cp\"",
            "",
        ],
    );
    let haproxy = [
        ("backend other", "begins another section"),
        ("log-format \"x", "not closed"),
        ("x \\", "backslash"),
    ];
    refuses(Form::HaproxyLine, &haproxy);
    refuses(
        Form::HaproxyLine,
        &[("option tcplog\nlisten x", "begins another section")],
    );
    refuses(
        Form::HaproxyWords,
        &[("inter 1s # x", "`#`"), ("a 'b", "`'`")],
    );
    takes(Form::HaproxyTime, &["24h", "500", "10ms"]);
    refuses(
        Form::HaproxyTime,
        &[("24 h", "units are"), ("1w", "units are")],
    );
    takes(Form::PgTime, &["1h", "0", "5min"]);
    refuses(Form::PgTime, &[("5m", "units are")]);
    takes(Form::SysctlValue, &["1", "10000 64999", "|/usr/lib/x %P"]);
    refuses(Form::SysctlValue, &[("1 # x", "`#`"), ("1;2", "`;`")]);
}

#[test]
fn paths_are_one_word_and_lead_nowhere_else() {
    let fault = super::path_fault;
    assert_eq!(fault("/data/pg-1/x_y.z"), None);
    assert_eq!(fault("/data/${pg_cluster}"), None);
    for bad in [
        "/a b",
        "/a/../etc",
        "/a\"",
        "/a%i",
        "/a$(x)",
        "/a\nb",
        "/a;b",
        "/a#b",
        "/a\\b",
    ] {
        assert!(fault(bad).is_some(), "{bad}");
    }
}
