//! Who is known in a root: its own accounts, and one more, which is nobody special.

use std::{fs, os::unix::fs::chown, path::Path};

use anyhow::{Context, Result};

use super::{inside::HOST, layout::Layout, release::Release, shape::Shape};

/// The plain user's numbers: the first that Debian gives to a person.
const PLAIN: u32 = 1000;

/// The numbers of a user.
pub(super) struct Ids {
    pub(super) user: u32,
    pub(super) group: u32,
}

impl Ids {
    /// Of the user that Slurm's packages bring.
    pub(super) fn of_slurm(release: Release) -> Result<Ids> {
        let passwd = read(&release.root().join("etc/passwd"))?;
        let ids = passwd.lines().find_map(|line| {
            let mut fields = line.strip_prefix("slurm:")?.split(':').skip(1);
            Some(Ids { user: fields.next()?.parse().ok()?, group: fields.next()?.parse().ok()? })
        });
        ids.with_context(|| format!("{} knows no user `slurm`", release.root().display()))
    }

    pub(super) fn own(&self, path: &Path) -> Result<()> {
        chown(path, Some(self.user), Some(self.group))
            .with_context(|| format!("cannot change the owner of {}", path.display()))
    }
}

/// Writes what is mounted over the root's accounts and hosts, and makes the plain user's home.
pub(super) fn write(layout: &Layout, release: Release, shape: &Shape) -> Result<()> {
    let user = &shape.user;
    let etc = |name: &str| read(&release.root().join("etc").join(name));
    let put = |name: &str, text: String| {
        let path = layout.over("etc").join(name);
        fs::write(&path, text).with_context(|| format!("cannot write {}", path.display()))
    };
    let passwd = etc("passwd")?;
    put("passwd", format!("{passwd}{user}:x:{PLAIN}:{PLAIN}::/home/{user}:/bin/bash\n"))?;
    put("group", format!("{}{user}:x:{PLAIN}:\n", etc("group")?))?;
    // Without it `su`, which Slurm runs for a login's environment, takes the account for expired.
    put("shadow", format!("{}{user}:!:20000:0:99999:7:::\n", etc("shadow")?))?;
    put("hosts", format!("127.0.0.1 localhost {HOST}\n"))?;
    let home = layout.over("home").join(user);
    fs::create_dir(&home).with_context(|| format!("cannot create {}", home.display()))?;
    Ids { user: PLAIN, group: PLAIN }.own(&home)
}

fn read(path: &Path) -> Result<String> {
    fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))
}
