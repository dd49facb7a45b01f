//! A cluster's directory, filled afresh: settings from the templates beside this file, the key, the
//! devices that stand for GPUs.

use std::{
    fs::{self, DirBuilder, OpenOptions},
    io::{Read, Write},
    net::{Ipv4Addr, TcpListener},
    os::unix::fs::{DirBuilderExt, OpenOptionsExt, symlink},
    path::Path,
};

use anyhow::{Context, Result, bail};

use super::{Flavour, layout::Layout};
use crate::private;

/// As many as gres.conf names.
const GPUS: usize = 256;

/// Removes what an earlier run left, and writes all that the daemons read.
pub(super) fn write(layout: &Layout) -> Result<()> {
    for dir in [&layout.dir, &layout.run] {
        private::remove(dir)?;
        directory(dir)?;
    }
    for name in ["gpus", "log", "munge", "state"] {
        directory(&layout.dir.join(name))?;
    }
    directory(&layout.run.join("spool"))?;
    for gpu in 0..GPUS {
        let link = layout.dir.join(format!("gpus/gpu{gpu}"));
        symlink("/dev/null", &link).with_context(|| format!("cannot create {}", link.display()))?;
    }
    file(&layout.dir.join("munge/key"), &random::<1024>()?)?;

    let template = Template::of(layout)?;
    let mut conf = include_str!("slurm.conf").to_owned();
    if layout.flavour == Flavour::Accounting {
        conf += include_str!("accounting.conf");
        template.write("slurmdbd.conf", include_str!("slurmdbd.conf"))?;
        template.write("database.sql", include_str!("database.sql"))?;
    }
    template.write("gres.conf", include_str!("gres.conf"))?;
    template.write("slurm.conf", &conf)
}

/// What stands between two `@` in the templates, and what for.
struct Template<'a> {
    layout: &'a Layout,
    values: Vec<(&'static str, String)>,
}

impl Template<'_> {
    fn of(layout: &Layout) -> Result<Template<'_>> {
        let host = fs::read_to_string("/proc/sys/kernel/hostname")
            .context("cannot read this host's name")?;
        let host = host.trim().split('.').next().unwrap_or_default().to_owned();
        let [controller, node, accounting, database] = free_ports(layout.number())?;
        let password = format!("{:032x}", u128::from_ne_bytes(random()?));
        let values = vec![
            ("@DIR@", layout.dir.display().to_string()),
            ("@RUN@", layout.run.display().to_string()),
            ("@HOST@", host),
            ("@CONTROLLER_PORT@", controller.to_string()),
            ("@NODE_PORT@", node.to_string()),
            ("@ACCOUNTING_PORT@", accounting.to_string()),
            ("@DATABASE_PORT@", database.to_string()),
            ("@DATABASE_PASSWORD@", password),
        ];
        Ok(Template { layout, values })
    }

    fn write(&self, name: &str, text: &str) -> Result<()> {
        let filled = self
            .values
            .iter()
            .fold(text.to_owned(), |text, (placeholder, value)| text.replace(placeholder, value));
        file(&self.layout.dir.join(name), filled.as_bytes())
    }
}

/// Free ports on the loopback interface, for daemons that start in a moment. From below the range
/// of outgoing connections (32768 and up by default), which might take one in between; the search
/// begins where the number says, so that the clusters of several work trees keep out of each
/// other's way.
fn free_ports<const N: usize>(number: u64) -> Result<[u16; N]> {
    let start = number % 10_000;
    let candidates = (0..10_000).map(|step| 20_000 + (start + step) % 10_000);
    let free = candidates
        .filter_map(|port| u16::try_from(port).ok())
        .filter(|port| TcpListener::bind((Ipv4Addr::LOCALHOST, *port)).is_ok());
    let ports: Vec<u16> = free.take(N).collect();
    match ports.try_into() {
        Ok(ports) => Ok(ports),
        Err(_) => bail!("no {N} ports are free from 20000 to 29999 on 127.0.0.1"),
    }
}

fn random<const N: usize>() -> Result<[u8; N]> {
    let mut bytes = [0; N];
    fs::File::open("/dev/urandom")
        .and_then(|mut file| file.read_exact(&mut bytes))
        .context("cannot read /dev/urandom")?;
    Ok(bytes)
}

/// For root only: settings and key are secrets.
fn file(path: &Path, content: &[u8]) -> Result<()> {
    OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path)
        .and_then(|mut file| file.write_all(content))
        .with_context(|| format!("cannot write {}", path.display()))
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
            let layout = Layout { flavour, run: dir.join("run"), dir };
            // The second time over what the first has left.
            write(&layout).unwrap();
            write(&layout).unwrap();
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
        let [first] = free_ports(7).unwrap();
        let _taken = TcpListener::bind((Ipv4Addr::LOCALHOST, first)).unwrap();
        let [second, third] = free_ports(7).unwrap();
        assert!(![second, third].contains(&first));
        assert_ne!(second, third);
    }
}
