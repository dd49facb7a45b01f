//! Which GPUs and CPUs there are: those that the launcher itself may see and use.

use std::ffi::OsString;
use std::fs;
use std::io;
use std::path::Path;
use std::sync::Arc;
use std::thread::available_parallelism;

use rustix::thread::{CpuSet, sched_getaffinity};
use sortie_config::Share;

/// GPUs that can be dealt.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Gpus {
    /// The variable by which a process sees some of them.
    pub(super) variable: &'static str,
    /// As they are named there.
    pub(super) ids: Vec<Arc<str>>,
    /// How they were found, in words.
    pub(super) whence: String,
}

const CUDA: &str = Share::GPU_VARIABLES[0];
const HIP: &str = Share::GPU_VARIABLES[1];
const ROCR: &str = Share::GPU_VARIABLES[2];

impl Gpus {
    /// Those that a process with these variables sees, on the machine whose files are below `root`.
    ///
    /// A variable that is set says which, and is the one that is dealt out. Of AMD's, `HIP_VISIBLE_DEVICES` counts what
    /// `ROCR_VISIBLE_DEVICES` leaves, so that a part of it is right beside the other as that is. Slurm may set those of both
    /// makers: the machine tells which counts.
    pub(super) fn find(env: &[(OsString, OsString)], root: &Path) -> Self {
        let value = |name: &str| env.iter().rev().find(|(set, _)| set == name).map(|(_, it)| it);
        let (nvidia, amd) = (nvidia(root), amd(root));
        let is_amd = match (value(CUDA).is_some(), value(HIP).or(value(ROCR)).is_some()) {
            (true, false) => false,
            (false, true) => true,
            _ => nvidia == 0 && amd > 0,
        };
        let variable = match is_amd {
            false => CUDA,
            true if value(HIP).is_some() => HIP,
            true => ROCR,
        };
        let there = if is_amd { amd } else { nvidia };
        match value(variable) {
            Some(list) => Self::listed(variable, &list.to_string_lossy(), there),
            None if there == 0 => Self {
                variable,
                ids: Vec::new(),
                whence: format!(
                    "neither /dev/nvidia0 nor a GPU in /sys/class/kfd is there, and {CUDA}, {HIP} and {ROCR} are not set"
                ),
            },
            None => {
                let maker = if is_amd { "AMD" } else { "NVIDIA" };
                let ids = (0..there).map(|index| index.to_string().into()).collect();
                Self { variable, ids, whence: format!("as {maker}'s driver shows them") }
            }
        }
    }

    /// As CUDA and `ROCm` read a list: up to the first that is none, and nothing where one is named twice.
    fn listed(variable: &'static str, list: &str, there: usize) -> Self {
        let mut whence = format!("{variable} is `{list}`");
        let is_gpu = |id: &&str| match id.parse::<usize>() {
            // Where the devices are not seen, a number is believed.
            Ok(index) => !id.starts_with('+') && (there == 0 || index < there),
            Err(_) => id.starts_with("GPU-") || id.starts_with("MIG-"),
        };
        let mut ids: Vec<Arc<str>> =
            list.split(',').map(str::trim).take_while(is_gpu).map(Arc::from).collect();
        if let Some(twice) = (1..ids.len()).find(|at| ids[..*at].contains(&ids[*at])) {
            whence = format!("{whence}, which names {} twice, so that none is seen", ids[twice]);
            ids.clear();
        }
        Self { variable, ids, whence }
    }

    pub(super) fn are_amds(&self) -> bool {
        self.variable != CUDA
    }
}

/// How many GPUs NVIDIA's driver has. A container sees all of them in /proc, but only its own in /dev; elsewhere /dev may be empty
/// until one is used.
fn nvidia(root: &Path) -> usize {
    let is_gpu = |name: &str| {
        let number = name.strip_prefix("nvidia").unwrap_or_default();
        !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit())
    };
    let nodes = names(&root.join("dev")).filter(|name| is_gpu(name)).count();
    if nodes > 0 { nodes } else { names(&root.join("proc/driver/nvidia/gpus")).count() }
}

/// How many GPUs AMD's driver has, of those that this process may open: other nodes of its topology are CPUs.
fn amd(root: &Path) -> usize {
    let nodes = root.join("sys/class/kfd/kfd/topology/nodes");
    let is_gpu = |name: &String| {
        let text = fs::read_to_string(nodes.join(name).join("properties")).unwrap_or_default();
        let property = |name| {
            text.lines().find_map(|line| line.strip_prefix(name)?.trim().parse::<u64>().ok())
        };
        let minor = property("drm_render_minor ").unwrap_or_default();
        property("simd_count ").is_some_and(|count| count > 0)
            && root.join(format!("dev/dri/renderD{minor}")).exists()
    };
    names(&nodes).filter(is_gpu).count()
}

fn names(dir: &Path) -> impl Iterator<Item = String> {
    let entries = fs::read_dir(dir).into_iter().flatten();
    entries.filter_map(|entry| entry.ok()?.file_name().into_string().ok())
}

/// CPUs that can be dealt.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Cpus {
    /// Their numbers.
    pub(super) numbers: Vec<u32>,
    /// Whether a job can be bound to them. Where it is a quota that grants so much time and not more, programs of other control
    /// groups run on the same CPUs, and would be crowded on the first few: jobs are counted there, and not bound.
    pub(super) bind: bool,
}

impl Cpus {
    /// Those that this process may use.
    pub(super) fn find() -> io::Result<Self> {
        let set = sched_getaffinity(None)?;
        let most = u32::try_from(CpuSet::MAX_CPU).unwrap_or(u32::MAX);
        let numbers = (0..most).filter(|number| set.is_set(*number as usize)).collect();
        Ok(Self::within(numbers, available_parallelism()?.get()))
    }

    fn within(mut numbers: Vec<u32>, quota: usize) -> Self {
        let bind = quota >= numbers.len();
        numbers.truncate(quota);
        Self { numbers, bind }
    }

    /// How they were found, in words.
    pub(super) fn whence(&self) -> &'static str {
        if self.bind { "its CPU affinity" } else { "the quota of its control group" }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(variables: &[(&str, &str)], root: &Path) -> (&'static str, Vec<String>) {
        let env: Vec<_> =
            variables.iter().map(|(name, value)| (name.into(), value.into())).collect();
        let gpus = Gpus::find(&env, root);
        (gpus.variable, gpus.ids.iter().map(ToString::to_string).collect())
    }

    fn machine(files: &[(&str, &str)]) -> tempfile::TempDir {
        let root = tempfile::tempdir().unwrap();
        for (path, text) in files {
            let path = root.path().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        root
    }

    const KFD: &str = "sys/class/kfd/kfd/topology/nodes";

    fn amds() -> tempfile::TempDir {
        let node = |simds, minor| {
            format!(
                "cpu_cores_count 0\nsimd_count {simds}\nmax_waves_per_simd 8\ndrm_render_minor {minor}\n"
            )
        };
        machine(&[
            (&format!("{KFD}/0/properties"), "cpu_cores_count 64\nsimd_count 0\n"),
            (&format!("{KFD}/1/properties"), &node(440, 128)),
            (&format!("{KFD}/2/properties"), &node(440, 129)),
            // One that a container was not given.
            (&format!("{KFD}/3/properties"), &node(440, 130)),
            ("dev/dri/renderD128", ""),
            ("dev/dri/renderD129", ""),
        ])
    }

    #[test]
    fn a_list_is_read_as_cuda_reads_it() {
        let root = machine(&[]);
        let ids = |list| found(&[(CUDA, list)], root.path()).1;
        assert_eq!(ids("2, 0,5"), ["2", "0", "5"]);
        assert_eq!(
            ids("GPU-8932f937,MIG-GPU-3a/1/0,MIG-7f"),
            ["GPU-8932f937", "MIG-GPU-3a/1/0", "MIG-7f"]
        );
        assert_eq!(ids("0,2,-1,1"), ["0", "2"]);
        for none in ["", "-1", "NoDevFiles", "all", "0,1,0", "+1"] {
            assert_eq!(ids(none), [""; 0], "{none:?}");
        }
        let env = [(CUDA.into(), "0,1,0".into())];
        let said = Gpus::find(&env, root.path()).whence;
        assert_eq!(
            said,
            "CUDA_VISIBLE_DEVICES is `0,1,0`, which names 0 twice, so that none is seen"
        );
    }

    #[test]
    fn without_a_variable_the_driver_tells() {
        assert_eq!(found(&[], machine(&[]).path()), (CUDA, vec![]));
        let proc = |n| (format!("proc/driver/nvidia/gpus/0000:0{n}:00.0/information"), "");
        let proc: Vec<_> = (0..4).map(proc).collect();
        let mut files: Vec<_> = proc.iter().map(|(path, text)| (path.as_str(), *text)).collect();
        assert_eq!(found(&[], machine(&files).path()).1, ["0", "1", "2", "3"]);
        // In a container that was given one of them.
        files.extend([("dev/nvidia3", ""), ("dev/nvidiactl", ""), ("dev/nvidia-uvm", "")]);
        let root = machine(&files);
        assert_eq!(found(&[], root.path()).1, ["0"]);
        // A list that names more than there are ends there.
        assert_eq!(found(&[(CUDA, "0,1")], root.path()).1, ["0"]);
        assert_eq!(found(&[], amds().path()), (ROCR, vec!["0".into(), "1".into()]));
    }

    #[test]
    fn of_amds_variables_the_inner_one_is_dealt() {
        let root = amds();
        let at = |variables: &[_]| found(variables, root.path());
        assert_eq!(at(&[(ROCR, "1,GPU-DEADBEEFDEADBEEF")]).1, ["1", "GPU-DEADBEEFDEADBEEF"]);
        assert_eq!(at(&[(ROCR, "1,0"), (HIP, "1")]), (HIP, vec!["1".into()]));
        // HIP reads that one, too.
        assert_eq!(at(&[(CUDA, "1")]), (CUDA, vec!["1".into()]));
        // Of both makers: those of the machine's.
        assert_eq!(at(&[(CUDA, "0"), (ROCR, "1")]), (ROCR, vec!["1".into()]));
        let nvidia = machine(&[("dev/nvidia0", ""), ("dev/nvidia1", "")]);
        assert_eq!(found(&[(CUDA, "0"), (ROCR, "1")], nvidia.path()), (CUDA, vec!["0".into()]));
    }

    #[test]
    fn a_quota_counts_and_does_not_bind() {
        assert_eq!(Cpus::within(vec![3, 5, 8], 3), Cpus { numbers: vec![3, 5, 8], bind: true });
        assert_eq!(Cpus::within(vec![3, 5, 8], 2), Cpus { numbers: vec![3, 5], bind: false });
        let here = Cpus::find().unwrap();
        assert_eq!(here.numbers.len(), available_parallelism().unwrap().get());
    }
}
