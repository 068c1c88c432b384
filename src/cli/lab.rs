//! `lab`: the inventory's hosts as machines on this computer.

use crate::app::Options;
use crate::app::failure::{Failure, code, result};
use crate::app::lab::{Teller, heal, list, start};
use crate::app::project;
use crate::lab::{CitusSource, Image, Lab, LabHost, LabSpec, Slowness, Suite};
use crate::model::{Formation, Model};
use clap::{Args, Subcommand};
use std::ffi::OsString;
use std::time::Duration;

/// What to do with the lab.
#[derive(Debug, Args)]
pub struct LabArgs {
    #[command(subcommand)]
    what: LabVerb,
}

#[derive(Debug, Subcommand)]
enum LabVerb {
    /// Create and boot one machine for each host of the inventory
    Up(UpArgs),
    /// Stop a lab and remove everything that was created for it
    Down {
        /// The lab [default: the only one]
        #[arg(long)]
        name: Option<String>,
        /// Remove all labs
        #[arg(long, conflicts_with = "name")]
        all: bool,
    },
    /// List labs and their hosts
    List,
    /// Run a command in the lab's network, or on one of its hosts
    Exec {
        /// The lab [default: the only one]
        #[arg(long)]
        name: Option<String>,
        /// Run on this host, as root
        #[arg(long)]
        host: Option<String>,
        #[arg(last = true, required = true)]
        command: Vec<OsString>,
    },
    /// Cut the power of hosts
    Kill {
        /// The lab [default: the only one]
        #[arg(long)]
        name: Option<String>,
        #[arg(required = true)]
        hosts: Vec<String>,
    },
    /// Disconnect hosts from the network, or from one other host
    Partition(PartitionArgs),
    /// Undo `partition` and `slow`
    Heal {
        /// The lab [default: the only one]
        #[arg(long)]
        name: Option<String>,
        /// Hosts [default: all]
        hosts: Vec<String>,
    },
    /// Add delay, loss or a rate limit to the links of hosts, in both directions
    Slow(SlowArgs),
    /// Boot hosts again with the disks they had, or empty ones
    Start {
        /// The lab [default: the only one]
        #[arg(long)]
        name: Option<String>,
        /// With new, empty disks, as after a reinstallation; only their SSH keys stay
        #[arg(long)]
        empty: bool,
        #[arg(required = true)]
        hosts: Vec<String>,
    },
}

#[derive(Debug, Args)]
struct UpArgs {
    /// Lab name [default: the inventory's]
    #[arg(long)]
    name: Option<String>,
    /// Distribution: debian13 or debian12
    #[arg(long, default_value = "debian13")]
    suite: Suite,
    /// Image: base (bare machines) or baked (packages installed, nothing configured)
    #[arg(long, default_value = "baked")]
    image: Image,
    /// Citus: none, stand-in, or a directory with .deb files or a file tree of a real build [env: CITUSCTL_LAB_CITUS]
    #[arg(long)]
    citus: Option<CitusSource>,
    /// IPv4 prefix length
    #[arg(long, default_value_t = LabSpec::PREFIX_LEN)]
    prefix_len: u8,
    /// Replace a lab of the same name
    #[arg(long)]
    force: bool,
}

#[derive(Debug, Args)]
struct PartitionArgs {
    /// The lab [default: the only one]
    #[arg(long)]
    name: Option<String>,
    /// Disconnect from this host only; both keep all other connections
    #[arg(long, value_name = "HOST")]
    from: Option<String>,
    #[arg(required = true)]
    hosts: Vec<String>,
}

#[derive(Debug, Args)]
struct SlowArgs {
    /// The lab [default: the only one]
    #[arg(long)]
    name: Option<String>,
    #[arg(required = true)]
    hosts: Vec<String>,
    /// Delay in milliseconds, each way
    #[arg(long, value_name = "MS", default_value_t = 0)]
    delay: u64,
    /// Jitter in milliseconds
    #[arg(long, value_name = "MS", default_value_t = 0)]
    jitter: u64,
    /// Packet loss in percent
    #[arg(long, value_name = "PERCENT", default_value_t = 0.0)]
    loss: f64,
    /// Rate limit in kbit/s
    #[arg(long, value_name = "KBIT")]
    rate: Option<u32>,
}

/// Runs it.
pub fn run(options: &Options, args: &LabArgs) -> Result<u8, Failure> {
    let teller = Teller {
        quiet: options.quiet,
    };
    match &args.what {
        LabVerb::Up(args) => up(options, args, &teller)?,
        LabVerb::Down { all: true, .. } => {
            for status in Lab::list()? {
                Lab::find(Some(&status.name))?.down(&teller)?;
            }
        }
        LabVerb::Down { name, .. } => Lab::find(name.as_deref())?.down(&teller)?,
        LabVerb::List => list(options)?,
        LabVerb::Partition(args) => partition(args, &teller)?,
        LabVerb::Heal { name, hosts } => heal(name.as_deref(), hosts, &teller)?,
        LabVerb::Slow(args) => slow(args, &teller)?,
        LabVerb::Exec {
            name,
            host: None,
            command,
        } => match Lab::find(name.as_deref())?.exec(command)? {},
        LabVerb::Exec {
            name,
            host: Some(host),
            command,
        } => match Lab::find(name.as_deref())?.exec_on(host, command)? {},
        LabVerb::Kill { name, hosts } => {
            let mut lab = Lab::find(name.as_deref())?;
            lab.check_power(hosts, true)?;
            hosts.iter().try_for_each(|host| lab.kill(host, &teller))?;
        }
        LabVerb::Start { name, empty, hosts } => {
            start(name.as_deref(), *empty, hosts, &teller)?;
        }
    }
    Ok(code::DONE)
}

/// Becomes this command line inside a lab, when `--lab` asks for it and we are not inside already.
pub fn enter(lab: Option<&str>) -> Result<(), Failure> {
    match lab {
        Some(name) if std::env::var_os(crate::lab::INSIDE).is_none() => {
            match crate::lab::reexec(Some(name))? {}
        }
        _ => Ok(()),
    }
}

fn up(options: &Options, args: &UpArgs, teller: &Teller) -> Result<(), Failure> {
    let project = project::Project::open(options)?;
    let spec = spec(options, args, &project)?;
    if args.force
        && let Ok(lab) = Lab::find(Some(&spec.name))
    {
        lab.down(teller)?;
    }
    let status = Lab::up(spec, teller)?.status();
    // Bare machines have no repository but the directory that the lab brings along.
    let packages = match args.image {
        Image::Baked => String::new(),
        Image::Base => format!(
            " -e '{{node_repos: [{{name: lab, line: \"{}\"}}]}}'",
            crate::lab::REPOSITORY
        ),
    };
    result(&format!(
        "lab {} is up: {}, {}, {}\nuse it: citusctl --lab={} apply -i {}{packages}\n",
        status.name,
        crate::ui::count(status.hosts.len(), "host"),
        status.suite,
        status.citus,
        status.name,
        options.inventory.display()
    ))?;
    Ok(())
}

/// `CITUSCTL_LAB_CITUS`; an empty value is as good as none.
fn from_environment() -> Result<Option<CitusSource>, Failure> {
    let value = std::env::var("CITUSCTL_LAB_CITUS").unwrap_or_default();
    if value.is_empty() {
        return Ok(None);
    }
    let read: Result<CitusSource, _> = value.parse();
    let bad = |error| Failure::new(code::USAGE, format!("CITUSCTL_LAB_CITUS: {error}"));
    read.map(Some).map_err(bad)
}

fn spec(options: &Options, args: &UpArgs, project: &project::Project) -> Result<LabSpec, Failure> {
    let model = &project.model;
    let limit = project.selection(options)?.hosts;
    let stem = options
        .inventory
        .file_stem()
        .unwrap_or_default()
        .to_string_lossy()
        .to_lowercase();
    let chosen = model.hosts().filter(|host| {
        limit
            .as_ref()
            .is_none_or(|limit| limit.contains(&host.name))
    });
    let hosts = chosen.map(|host| LabHost {
        name: host.name.clone(),
        address: host.address,
        hostname: host.nodename.clone(),
    });
    let vips = model
        .groups()
        .filter_map(|(_, group)| group.vip.as_ref().map(|vip| vip.address));
    Ok(LabSpec {
        suite: args.suite,
        image: args.image,
        citus: citus(args, model)?,
        prefix_len: args.prefix_len,
        reserved: vips
            .chain(model.node_vips.iter().map(|vip| vip.address))
            .collect(),
        ..LabSpec::new(args.name.clone().unwrap_or(stem), hosts.collect())
    })
}

/// Where Citus comes from, if a formation needs it.
fn citus(args: &UpArgs, model: &Model) -> Result<CitusSource, Failure> {
    if let Some(citus) = &args.citus {
        return Ok(citus.clone());
    }
    let needed = model.formations.iter().any(Formation::is_citus);
    let default = match needed {
        true => CitusSource::StandIn,
        false => CitusSource::None,
    };
    Ok(from_environment()?.unwrap_or(default))
}

fn partition(args: &PartitionArgs, teller: &Teller) -> Result<(), Failure> {
    let lab = Lab::find(args.name.as_deref())?;
    lab.check_hosts(args.hosts.iter().chain(&args.from))?;
    if let Some(from) = &args.from {
        lab.check_pairs(&args.hosts, from)?;
    }
    for host in &args.hosts {
        match &args.from {
            None => {
                lab.partition(host)?;
                teller.say(&format!("{host} is cut off"));
            }
            Some(other) => {
                lab.partition_between(host, other)?;
                teller.say(&format!("{host} and {other} are cut off from each other"));
            }
        }
    }
    Ok(())
}

fn slow(args: &SlowArgs, teller: &Teller) -> Result<(), Failure> {
    let lab = Lab::find(args.name.as_deref())?;
    let slowness = Slowness {
        delay: Duration::from_millis(args.delay),
        jitter: Duration::from_millis(args.jitter),
        loss: args.loss,
        rate: args.rate,
    };
    lab.check_hosts(&args.hosts)?;
    for host in &args.hosts {
        lab.slow(host, slowness)?;
        teller.say(&format!("{host} is slow"));
    }
    Ok(())
}
