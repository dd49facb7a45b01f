//! What has to be on disk before a cluster is asked.

use std::fs::File;
use std::io;

use rustix::fs::syncfs;

use crate::{Claim, Unusable};

/// From so many on, syncing the whole file system costs less than each of them.
const MANY: usize = 32;

/// Returns once the notes of attempts that are about to be handed to a cluster ([`Claim::submitted`]) would survive a loss
/// of power, and so would the directories that they are in: jobs that a cluster has must not be forgotten here.
///
/// Many at once are expected to be on one file system, which is then synced as a whole.
pub fn sync_submitted(claims: &[&Claim]) -> io::Result<()> {
    match claims {
        [first, ..] if claims.len() >= MANY => Ok(syncfs(&first.state.file)?),
        few => few.iter().try_for_each(|claim| claim.sync_note()),
    }
}

impl Claim {
    fn sync_note(&self) -> io::Result<()> {
        let (note, _) = self.state.open_regular(self.place.names().submitted).map_err(
            |unusable| match unusable {
                Unusable::Unreadable(error) => error,
                other => io::Error::other(other.to_string()),
            },
        )?;
        note.sync_all()?;
        sync_dir(&self.state.file)?;
        sync_dir(&self.results.file)?;
        // Then the directories that the two are in. `.sortie/NAME` is two levels below that of the results dir.
        let parents = self.place.state.ancestors().skip(1).take(2);
        parents.into_iter().try_for_each(|parent| sync_dir(&File::open(parent)?))
    }
}

/// Some file systems know no such thing of a directory (fsync(2), `EINVAL`).
fn sync_dir(dir: &File) -> io::Result<()> {
    match dir.sync_all() {
        Err(error) if error.kind() == io::ErrorKind::InvalidInput => Ok(()),
        synced => synced,
    }
}
