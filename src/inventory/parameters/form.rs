//! What a text may hold, by the place that it goes to: a line of a file, a path, a unit, SQL.
//!
//! No file that is rendered can get another structure by a value: each text of the catalogue has a form, and each form
//! refuses what its place cannot hold. Line ends and control characters are refused by all of them but [`Form::Prose`],
//! [`Form::Key`], [`Form::Packages`] and [`Form::HaproxyLine`], whose texts are quoted, written whole, or split.

mod lines;
mod names;

/// The form of a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// Any text: it goes where everything is quoted (SQL) or is read again by a parser of ours.
    Prose,
    /// One line of any text. For values with a lint of their own, of Ansible's, or without an effect.
    Line,
    /// A text of one line, or several lines: a key of a repository in ASCII armour, or its path.
    Key,
    /// Letters, digits, `_`, `.` and `-`: a name that needs no quotes anywhere.
    Name,
    /// Names with commas or blanks between them.
    NameList,
    /// A name that PostgreSQL keeps as it is.
    SqlName,
    /// A role that also stands in PgBouncer's lists.
    RoleName,
    /// An account of the operating system.
    UnixUser,
    /// A name and nothing of a path.
    FileName,
    /// A network interface.
    Interface,
    /// A host name or an address.
    HostAddr,
    /// Addresses to listen on, with commas.
    Listen,
    /// An address to bind, `*`, or a placeholder.
    Bind,
    /// A part of a domain name.
    Domain,
    /// User of an HTTP login.
    Login,
    /// A parameter of PostgreSQL.
    Setting,
    /// A shared library, or several.
    Libraries,
    /// A locale or an encoding.
    Locale,
    /// A time zone below `/usr/share/zoneinfo`.
    Zone,
    /// Packages and aliases.
    Packages,
    /// A kernel module.
    Module,
    /// A kernel parameter.
    Sysctl,
    /// A value of a kernel parameter.
    SysctlValue,
    /// A shell alias.
    Alias,
    /// A line of `/etc/crontab`: with a user.
    CronSystem,
    /// A line of a user's own crontab.
    CronOwn,
    /// A record of `/etc/hosts`.
    HostsRecord,
    /// A line of `resolv.conf` other than `nameserver`.
    Resolver,
    /// A line of `chrony.conf` that names a source of time.
    TimeSource,
    /// A line of `authorized_keys`.
    PublicKey,
    /// A line of `sources.list`.
    AptLine,
    /// A URL with what follows it in `sources.list`.
    Url,
    /// A path of HTTP.
    HttpPath,
    /// Words of one line of HAProxy.
    HaproxyWords,
    /// A line of a section of HAProxy.
    HaproxyLine,
    /// A time as HAProxy reads it.
    HaproxyTime,
    /// A time as PostgreSQL reads it.
    PgTime,
    /// A version.
    Version,
}

impl Form {
    /// The form in words.
    pub fn words(self) -> &'static str {
        match self {
            Self::Prose => "a text",
            Self::Line => "a text of one line",
            Self::Key => "a key, or an absolute path",
            Self::Name => "a name of letters, digits, `_`, `.` and `-`",
            Self::NameList => "names of letters, digits, `_`, `.` and `-`, with commas",
            Self::SqlName => "a name of at most 63 bytes",
            Self::RoleName => "a role of letters, digits, `_`, `.` and `-`",
            Self::UnixUser => "the name of an account: small letters, digits, `_` and `-`",
            Self::FileName => "a name that can be that of a file",
            Self::Interface => "a network interface, as `eth0`, or `auto`",
            Self::HostAddr => "a host name or an address",
            Self::Listen => "addresses, with commas",
            Self::Bind => "an address, `*`, or `${ip}`, `${vip}`, `${lo}`",
            Self::Domain => "a part of a domain name",
            Self::Login => "a user without blanks and colons",
            Self::Setting => "a parameter of PostgreSQL",
            Self::Libraries => "names of libraries, with commas",
            Self::Locale => "a locale or an encoding",
            Self::Zone => "a time zone, as `Europe/Paris`",
            Self::Packages => "names of packages",
            Self::Module => "a kernel module",
            Self::Sysctl => "a kernel parameter, as `vm.swappiness`",
            Self::SysctlValue => "a number or a few words",
            Self::Alias => "the name of an alias",
            Self::CronSystem => {
                "`MINUTE HOUR DAY MONTH WEEKDAY USER COMMAND`, or `@daily USER COMMAND`"
            }
            Self::CronOwn => "`MINUTE HOUR DAY MONTH WEEKDAY COMMAND`, or `@daily COMMAND`",
            Self::HostsRecord => "`ADDRESS NAME...`",
            Self::Resolver => "a line with `options`, `search`, `domain` or `sortlist`",
            Self::TimeSource => "a line with `pool`, `server`, `peer` or `refclock`",
            Self::PublicKey => "a public key, as `ssh-ed25519 AAAA...`",
            Self::AptLine => "a line of sources.list, as `deb URL SUITE COMPONENT`",
            Self::Url => "a URL, with what follows it in sources.list",
            Self::HttpPath => "a path of HTTP, as `/primary`",
            Self::HaproxyWords => "words of one line of HAProxy",
            Self::HaproxyLine => "a line of a section of HAProxy",
            Self::HaproxyTime => "a time of HAProxy, as 24h",
            Self::PgTime => "a time of PostgreSQL, as 1h",
            Self::Version => "a version",
        }
    }

    /// What of a text its place cannot hold. The empty text means "not given" everywhere.
    pub fn fault(self, text: &str) -> Option<String> {
        if text.is_empty() {
            return None;
        }
        let text = filled(text);
        let whole = matches!(
            self,
            Self::Prose | Self::Key | Self::Packages | Self::HaproxyLine
        );
        control(&text, whole).or_else(|| self.own_fault(&text))
    }

    fn own_fault(self, text: &str) -> Option<String> {
        match self {
            Self::Prose | Self::Line => None,
            Self::Key => lines::key(text),
            Self::Name => names::of(text, "_.-"),
            Self::NameList => names::of(text, "_.-, "),
            Self::SqlName => names::too_long(text, 63),
            Self::RoleName => names::of(text, "_.-").or_else(|| names::too_long(text, 63)),
            Self::UnixUser => names::account(text),
            Self::FileName => names::file(text),
            Self::Interface => names::interface(text),
            Self::HostAddr => names::host(text),
            Self::Listen => names::listen(text),
            Self::Bind => names::bind(text),
            Self::Domain => names::of(text, ".-"),
            Self::Login => names::login(text),
            Self::Setting => names::setting(text),
            Self::Libraries => names::of(text, "_-$./, "),
            Self::Locale => names::of(text, "_-.@"),
            Self::Zone => names::zone(text),
            Self::Packages => names::packages(text),
            Self::Module => names::of(text, "_-").or_else(|| names::dashed(text)),
            Self::Sysctl => names::of(text, "_-./"),
            Self::SysctlValue => names::of(text, "_-.,:/ \t|%"),
            Self::Alias => names::of(text, "_-.+").or_else(|| names::dashed(text)),
            Self::CronSystem => lines::cron(text, true),
            Self::CronOwn => lines::cron(text, false),
            Self::HostsRecord => lines::hosts(text),
            Self::Resolver => lines::begins(text, &["options", "search", "domain", "sortlist"]),
            Self::TimeSource => lines::begins(text, &["pool", "server", "peer", "refclock"]),
            Self::PublicKey => lines::public_key(text),
            Self::AptLine => lines::begins(text, &["deb", "deb-src"]),
            Self::Url => lines::url(text),
            Self::HttpPath => lines::http_path(text),
            Self::HaproxyWords => lines::haproxy_words(text),
            Self::HaproxyLine => text.lines().find_map(lines::haproxy_line),
            Self::HaproxyTime => lines::time(text, &["us", "ms", "s", "m", "h", "d"]),
            Self::PgTime => lines::time(text, &["us", "ms", "s", "min", "h", "d"]),
            Self::Version => names::of(text, "_.-+~:"),
        }
    }
}

/// What an absolute path cannot hold.
pub(super) fn path_fault(text: &str) -> Option<String> {
    let text = filled(text);
    control(&text, false).or_else(|| lines::path(&text))
}

/// The text with something harmless for each `${name}`: what they stand for are addresses and names that have been
/// judged themselves.
fn filled(text: &str) -> String {
    crate::inventory::expand(text, &|name| {
        let plain = |c: char| c.is_ascii_alphanumeric() || c == '_';
        let name = name.trim();
        (!name.is_empty() && name.chars().all(plain)).then(|| "192.0.2.1".to_owned())
    })
}

/// Characters that end a line or are not seen; where a text is kept `whole` only what no text holds.
fn control(text: &str, whole: bool) -> Option<String> {
    let odd = |c: char| c.is_control() || matches!(c, '\u{2028}' | '\u{2029}');
    let fine = |c: char| c == '\t' || (whole && matches!(c, '\n' | '\r'));
    let found = text.chars().find(|c| odd(*c) && !fine(*c))?;
    Some(match found {
        '\n' | '\r' => "it holds a line end".to_owned(),
        other => format!("it holds the control character U+{:04X}", u32::from(other)),
    })
}

#[cfg(test)]
mod tests;
