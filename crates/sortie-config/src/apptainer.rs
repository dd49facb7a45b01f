//! What the settings of a container mean to Apptainer, and which it cannot keep.

use std::path::Path;

use crate::{ContainerSpec, ContainerUser, InvalidSetting, PullPolicy};

/// Where Apptainer has an image from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ApptainerImage<'a> {
    /// A SIF file, or a directory, which is used as it is.
    Path(&'a Path),
    /// An archive of Docker's or of the Open Container Initiative.
    Archive {
        /// What stands before the path: `docker-archive` or `oci-archive`.
        transport: &'a str,
        /// The file.
        path: &'a Path,
    },
    /// A registry, as in `docker://ubuntu:24.04`.
    Registry(&'a str),
}

/// What an image in a registry begins with.
const REGISTRIES: [&str; 3] = ["docker://", "oras://", "library://"];

impl<'a> ApptainerImage<'a> {
    /// Reads the setting `image`; `None` if it is a name alone, of which Docker has images and Apptainer has none.
    ///
    /// ```
    /// use sortie_config::ApptainerImage;
    ///
    /// assert_eq!(ApptainerImage::of("eval.sif"), Some(ApptainerImage::Path("eval.sif".as_ref())));
    /// assert_eq!(ApptainerImage::of("ubuntu:latest"), None);
    /// ```
    pub fn of(image: &'a str) -> Option<Self> {
        if REGISTRIES.iter().any(|registry| image.strip_prefix(registry).is_some_and(is_some)) {
            return Some(Self::Registry(image));
        }
        for transport in ["docker-archive", "oci-archive"] {
            let path = image.strip_prefix(transport).and_then(|rest| rest.strip_prefix(':'));
            if let Some(path) = path.filter(|path| is_some(path)) {
                return Some(Self::Archive { transport, path: Path::new(path) });
            }
        }
        // A name with a tag, or another transport.
        let first = image.split('/').next().unwrap_or_default();
        (is_some(image) && !first.contains(':')).then_some(Self::Path(Path::new(image)))
    }
}

fn is_some(text: &str) -> bool {
    !text.is_empty()
}

/// Refuses what Apptainer would ignore or cannot do.
pub(crate) fn check(settings: &ContainerSpec, docker_flags: &str) -> Result<(), InvalidSetting> {
    let engine = &settings.engine;
    let refuse = |field: &'static str, why: String| Err(InvalidSetting::Engines { field, why });
    let image = &settings.image;
    if settings.archive.is_none() {
        match ApptainerImage::of(image) {
            None => {
                let why = format!(
                    "is {image:?}, and {engine} has no images by name: give the path of a SIF file or of a directory, \
                     `docker-archive:FILE`, `oci-archive:FILE` or `docker://{image}`, or set `image_tar_path`"
                );
                return refuse("image", why);
            }
            Some(ApptainerImage::Registry(_)) if settings.pull == PullPolicy::Always => {
                let why = format!(
                    "is `always`, but with {engine} an image is fetched once on each node: leave it out, and name the image \
                     by a tag or digest of its own"
                );
                return refuse("pull", why);
            }
            Some(_) => {}
        }
    }
    if settings.user != ContainerUser::Submitter {
        let why = format!(
            "is set, but {engine} runs a container as whoever submits the job: leave it out, or set it to `submitter`"
        );
        return refuse("user", why);
    }
    if !docker_flags.trim().is_empty() {
        let why = format!("is for docker and podman: set `apptainer_flags` for {engine}");
        return refuse("docker_flags", why);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{JobConfig, LocalDockerJobConfig};

    fn with(change: impl FnOnce(&mut LocalDockerJobConfig)) -> Result<(), InvalidSetting> {
        let mut config = LocalDockerJobConfig {
            engine: "/opt/bin/singularity".to_owned(),
            image: "images/my eval.sif".to_owned(),
            ..LocalDockerJobConfig::default()
        };
        change(&mut config);
        JobConfig::from(config).validate()
    }

    #[test]
    fn where_images_come_from() {
        let path = |path| Some(ApptainerImage::Path(Path::new(path)));
        assert_eq!(ApptainerImage::of("/a/b:c,d.sif"), path("/a/b:c,d.sif"));
        assert_eq!(ApptainerImage::of("./a:1"), path("./a:1"));
        let archive =
            |transport, path| Some(ApptainerImage::Archive { transport, path: Path::new(path) });
        let docker = ApptainerImage::of("docker-archive:a.tar");
        assert_eq!(docker, archive("docker-archive", "a.tar"));
        assert_eq!(ApptainerImage::of("oci-archive:/a:b"), archive("oci-archive", "/a:b"));
        let remote = "docker://localhost:5000/a:1";
        assert_eq!(ApptainerImage::of(remote), Some(ApptainerImage::Registry(remote)));
        for bad in ["", "a:1", "docker-archive:", "docker://", "docker-daemon:a:1", "instance://a"]
        {
            assert_eq!(ApptainerImage::of(bad), None, "{bad:?}");
        }
    }

    #[test]
    fn what_apptainer_cannot_keep_is_refused() {
        assert_eq!(with(|_| ()), Ok(()));
        let field = |checked: Result<(), InvalidSetting>| checked.unwrap_err().field().to_owned();
        assert_eq!(field(with(|config| config.image = "ubuntu:latest".into())), "image");
        assert_eq!(field(with(|config| config.image = "-x.sif".into())), "image");
        assert_eq!(field(with(|config| config.user = "image".into())), "user");
        assert_eq!(field(with(|config| config.user = "1000:100".into())), "user");
        assert_eq!(field(with(|config| config.docker_flags = "--rm".into())), "docker_flags");
        let always = |image: &str| {
            with(|config| {
                config.image = image.to_owned();
                config.pull = PullPolicy::Always;
            })
        };
        assert_eq!(field(always("docker://eval:1")), "pull");
        assert_eq!(always("eval.sif"), Ok(()), "there is nothing to pull");
        let archive = |config: &mut LocalDockerJobConfig| {
            config.image = "eval:1".into();
            config.image_tar_path = Some("eval.tar".into());
        };
        assert_eq!(with(archive), Ok(()));
        let docker = LocalDockerJobConfig {
            apptainer_flags: "--nv".to_owned(),
            ..LocalDockerJobConfig::default()
        };
        assert_eq!(field(JobConfig::from(docker).validate()), "apptainer_flags");
    }
}
