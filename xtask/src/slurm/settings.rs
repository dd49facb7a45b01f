//! A cluster's directory, filled afresh: settings from the templates beside this file, the key, the
//! devices that stand for GPUs.

use std::{
    fs::{self, DirBuilder, OpenOptions, Permissions},
    io::{Read, Write},
    net::{Ipv4Addr, TcpListener},
    os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt, symlink},
    path::Path,
};

use anyhow::{Context, Result, bail, ensure};

use super::{
    Flavour, inside,
    layout::Layout,
    release::Release,
    shape::Shape,
    users::{self, Ids},
};
use crate::private;

/// As many as gres.conf names.
const GPUS: usize = 256;

/// Removes what an earlier run left, and writes all that the daemons read.
pub(super) fn write(layout: &Layout, shape: &Shape) -> Result<()> {
    let run = layout.run_from_here();
    for dir in [&layout.dir, &run] {
        private::remove(dir)?;
        directory(dir)?;
    }
    for name in ["gpus", "log", "munge", "state"] {
        directory(&layout.dir.join(name))?;
    }
    for node in shape.names() {
        directory(&run.join("spool").join(node))?;
    }
    for gpu in 0..GPUS {
        let link = layout.dir.join(format!("gpus/gpu{gpu}"));
        symlink("/dev/null", &link).with_context(|| format!("cannot create {}", link.display()))?;
    }
    file(&layout.dir.join("munge/key"), &random::<1024>()?, SECRET)?;

    let template = Template::of(layout, shape)?;
    let mut conf = include_str!("slurm.conf").to_owned();
    if layout.flavour == Flavour::Accounting {
        conf += include_str!("accounting.conf");
        template.write("slurmdbd.conf", include_str!("slurmdbd.conf"), SECRET)?;
        template.write("database.sql", include_str!("database.sql"), SECRET)?;
    }
    template.write("gres.conf", include_str!("gres.conf"), OPEN)?;
    template.write("slurm.conf", &conf, OPEN)?;
    shape.write(layout)?;
    match layout.release {
        Some(release) => in_root(layout, release, shape),
        None => Ok(()),
    }
}

/// What a cluster needs besides where it has a root of its own, a user `slurm` and one who is not root.
fn in_root(layout: &Layout, release: Release, shape: &Shape) -> Result<()> {
    for path in ["etc", "home", "tmp", "var/tmp"] {
        directory(&layout.over(path))?;
    }
    for path in ["tmp", "var/tmp"] {
        permit(&layout.over(path), 0o1777)?;
    }
    users::write(layout, release, shape)?;
    // None are mounted there, and no daemon starts without them unless it is told so. Slurm 22.05 cannot be
    // told, but does not miss them where it need not find out their version.
    let cgroups = if release == Release::Bookworm { "cgroup/v1" } else { "disabled" };
    let cgroups = format!("CgroupPlugin={cgroups}\n");
    file(&layout.dir.join("cgroup.conf"), cgroups.as_bytes(), OPEN)?;
    // Tests say by locks on it which of them have the cluster to themselves.
    let lock = layout.dir.join("slurm.tests.lock");
    file(&lock, b"", OPEN)?;
    permit(&lock, 0o666)?;
    let slurm = Ids::of_slurm(release)?;
    // The directory of the logs stays root's, or munged objects to it.
    for name in ["log/slurmctld.log", "log/slurmdbd.log"] {
        file(&layout.dir.join(name), b"", OPEN)?;
        slurm.own(&layout.dir.join(name))?;
    }
    slurm.own(&layout.dir.join("state"))?;
    if layout.flavour == Flavour::Accounting {
        slurm.own(&layout.dir.join("slurmdbd.conf"))?;
    }
    slurm.own(&layout.run_from_here())
}

/// What stands between two `@` in the templates, and what for.
struct Template<'a> {
    layout: &'a Layout,
    values: Vec<(&'static str, String)>,
}

impl Template<'_> {
    fn of<'a>(layout: &'a Layout, shape: &Shape) -> Result<Template<'a>> {
        let host = match layout.release {
            Some(_) => inside::HOST.to_owned(),
            None => own_host()?,
        };
        let ports = free_ports(layout.number(), 3 + usize::from(shape.nodes))?;
        let [controller, accounting, database, nodes @ ..] = ports.as_slice() else {
            bail!("no ports for the daemons")
        };
        let password = format!("{:032x}", u128::from_ne_bytes(random()?));
        let nodes = shape.names().zip(nodes).map(|(name, port)| {
            format!("NodeName={name} NodeHostname={host} NodeAddr=127.0.0.1 Port={port}")
        });
        let user = if layout.release.is_some() { "slurm" } else { "root" };
        let values = vec![
            ("@NODES@", nodes.collect::<Vec<_>>().join("\n")),
            ("@DIR@", layout.dir.display().to_string()),
            ("@RUN@", layout.run.display().to_string()),
            ("@HOST@", host),
            ("@USER@", user.to_owned()),
            ("@CONTROLLER_PORT@", controller.to_string()),
            ("@ACCOUNTING_PORT@", accounting.to_string()),
            ("@DATABASE_PORT@", database.to_string()),
            ("@DATABASE_PASSWORD@", password),
        ];
        Ok(Template { layout, values })
    }

    fn write(&self, name: &str, text: &str, mode: u32) -> Result<()> {
        let filled = self
            .values
            .iter()
            .fold(text.to_owned(), |text, (placeholder, value)| text.replace(placeholder, value));
        file(&self.layout.dir.join(name), filled.as_bytes(), mode)
    }
}

/// This machine's name, without a domain.
fn own_host() -> Result<String> {
    let host =
        fs::read_to_string("/proc/sys/kernel/hostname").context("cannot read this host's name")?;
    Ok(host.trim().split('.').next().unwrap_or_default().to_owned())
}

/// Free ports on the loopback interface, for daemons that start in a moment. From below the range
/// of outgoing connections (32768 and up by default), which might take one in between; the search
/// begins where the number says, so that the clusters of several work trees keep out of each
/// other's way.
fn free_ports(number: u64, many: usize) -> Result<Vec<u16>> {
    let start = number % 10_000;
    let candidates = (0..10_000).map(|step| 20_000 + (start + step) % 10_000);
    let free = candidates
        .filter_map(|port| u16::try_from(port).ok())
        .filter(|port| TcpListener::bind((Ipv4Addr::LOCALHOST, *port)).is_ok());
    let ports: Vec<u16> = free.take(many).collect();
    ensure!(ports.len() == many, "no {many} ports are free from 20000 to 29999 on 127.0.0.1");
    Ok(ports)
}

fn random<const N: usize>() -> Result<[u8; N]> {
    let mut bytes = [0; N];
    fs::File::open("/dev/urandom")
        .and_then(|mut file| file.read_exact(&mut bytes))
        .context("cannot read /dev/urandom")?;
    Ok(bytes)
}

/// The mode of keys and passwords, for their owner only.
const SECRET: u32 = 0o600;

/// The mode of what all may read.
const OPEN: u32 = 0o644;

fn file(path: &Path, content: &[u8], mode: u32) -> Result<()> {
    OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(mode)
        .open(path)
        .and_then(|mut file| file.write_all(content))
        .with_context(|| format!("cannot write {}", path.display()))
}

/// Whatever the umask is.
fn permit(path: &Path, mode: u32) -> Result<()> {
    fs::set_permissions(path, Permissions::from_mode(mode))
        .with_context(|| format!("cannot change the permissions of {}", path.display()))
}

fn directory(path: &Path) -> Result<()> {
    DirBuilder::new()
        .recursive(true)
        .mode(0o755)
        .create(path)
        .with_context(|| format!("cannot create {}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_placeholder_is_filled_in() {
        let target = std::env::temp_dir().join(format!("sortie-xtask-{}", std::process::id()));
        for flavour in [Flavour::Plain, Flavour::Accounting] {
            let dir = target.join("cluster");
            let layout = Layout { flavour, release: None, run: dir.join("run"), dir };
            let shape = Shape::default();
            // The second time over what the first has left.
            write(&layout, &shape).unwrap();
            write(&layout, &shape).unwrap();
            let mut files = vec!["slurm.conf", "gres.conf"];
            if flavour == Flavour::Accounting {
                files.extend(["slurmdbd.conf", "database.sql"]);
            }
            for file in files {
                let text = fs::read_to_string(layout.dir.join(file)).unwrap();
                let left: Vec<_> =
                    text.lines().filter(|line| line.matches('@').count() > 1).collect();
                assert_eq!(left, [""; 0], "{file}");
            }
        }
        fs::remove_dir_all(target).unwrap();
    }

    #[test]
    fn ports_in_use_are_passed_over() {
        let first = free_ports(7, 1).unwrap()[0];
        let _taken = TcpListener::bind((Ipv4Addr::LOCALHOST, first)).unwrap();
        let others = free_ports(7, 2).unwrap();
        assert!(!others.contains(&first));
        assert_ne!(others[0], others[1]);
    }
}
