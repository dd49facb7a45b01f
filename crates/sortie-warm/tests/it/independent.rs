//! Jobs of one server share nothing that is random, and change nothing for each other.

use std::collections::HashSet;
use std::ffi::OsString;

use sortie_process::{Start, Status};

use crate::{Stage, warmed};

/// Stand in for `numpy` and `torch`, which the test does without: a generator whose state a fork copies, seeded
/// anew by `seed()`.
const NUMPY: &str = "import random as _random\n_state = _random.Random()\nrandom = _state.random\n\
                     def seed():\n    _state.seed()\n";
const TORCH: &str = "import random as _random\n_state = _random.Random()\n_seed = 67280421310721\n\
                     def seed():\n    global _seed\n    _seed = _random.SystemRandom().getrandbits(64)\n    \
                     _state.seed(_seed)\n    return _seed\n\
                     def initial_seed():\n    return _seed\n\
                     def rand():\n    return _state.random()\n\
                     _state.seed(_seed)\n";

#[tokio::test]
async fn a_hundred_jobs_draw_nothing_alike() {
    let stage = Stage::new(include_str!("../evaluators/random_things.py"));
    stage.write("numpy/__init__.py", "");
    stage.write("numpy/random.py", NUMPY);
    stage.write("torch/__init__.py", TORCH);
    let mut drawn = HashSet::new();
    for job in 0..100 {
        let ran = stage.run(&stage.warm(&[])).await;
        assert_eq!(ran.exit.status, Status::Exited(0), "{}", ran.err);
        assert_eq!(ran.exit.start, if job == 0 { Start::Fresh } else { Start::Warm });
        assert_eq!(ran.out.lines().count(), 14, "{}", ran.out);
        for line in ran.out.lines() {
            assert!(drawn.insert(line.to_owned()), "drawn twice: {line}");
        }
    }
}

#[tokio::test]
async fn a_job_can_change_nothing_that_the_next_one_sees() {
    let stage = Stage::new(include_str!("../evaluators/meddler.py"));
    stage.write("helper.py", "VALUES = ['as it was']\n");
    let cold = stage.run(&stage.cold(&[])).await;
    assert_eq!(cold.exit.status, Status::Exited(0), "{}", cold.err);
    for _ in 0..3 {
        let warm = stage.run(&stage.warm(&[])).await;
        assert_eq!((warm.out, warm.err), (cold.out.clone(), cold.err.clone()));
    }
}

/// Its socket has no name, and the only process that has it open besides is the reaper.
#[tokio::test]
async fn a_job_has_no_handle_on_its_server() {
    let stage = Stage::new(
        "import os, subprocess\nfiles = [f'/proc/self/fd/{n}' for n in range(3, 1024)]\n\
         opened = [os.readlink(file) for file in files if os.path.exists(file)]\n\
         print([file for file in opened if '/libffi.so' not in file], flush=True)\n\
         subprocess.run(['ls', '/proc/self/fd'], close_fds=False)\n",
    );
    let cold = stage.run(&stage.cold(&[])).await;
    assert_eq!(cold.out, "[]\n0\n1\n2\n3\n");
    for start in [Start::Fresh, Start::Warm] {
        let warm = stage.run(&stage.warm(&[])).await;
        assert_eq!((warm.exit.start, warm.out), (start, cold.out.clone()));
    }
}

/// A process that cannot be dumped cannot be traced, and its files cannot be looked at, by a process
/// of the same user, ptrace(2).
#[tokio::test]
async fn a_server_cannot_be_looked_into_and_a_job_can() {
    let stage = Stage::new("import module\nprint(module.seen, module.dumpable())\n");
    stage.write(
        "module.py",
        "import ctypes, os\nseen = []\n\
         def dumpable():\n    return ctypes.CDLL(None).prctl(3, 0, 0, 0, 0)\n\
         os.register_at_fork(before=lambda: seen.append(dumpable()))\n",
    );
    let ran = stage.run(&stage.warm(&[])).await;
    // What is to be done at forks is done once, as by a process that forks.
    assert_eq!((ran.exit.start, ran.out.as_str()), (Start::Fresh, "[0] 1\n"), "{}", ran.err);
}

#[tokio::test]
#[ignore = "needs NumPy: cargo xtask test"]
async fn numpy_itself_is_forked_and_draws_nothing_alike() {
    let python = python_with_numpy();
    let stage = Stage::new(
        "import numpy as np\na = np.random.rand(200, 200)\nprint((a @ a).sum())\n\
         print(np.random.default_rng().random())\nprint(np.random.normal(size=3))\n",
    );
    let mut drawn = HashSet::new();
    for job in 0..20 {
        let mut cold = stage.cold(&[]);
        cold.program = python.clone();
        let ran = stage.run(&warmed(cold, &[], |_| ())).await;
        assert_eq!(ran.exit.start, if job == 0 { Start::Fresh } else { Start::Warm });
        assert_eq!((ran.exit.status, ran.out.lines().count()), (Status::Exited(0), 3));
        assert!(ran.out.lines().all(|line| drawn.insert(line.to_owned())), "{}", ran.out);
    }
}

/// An interpreter that has `NumPy`.
fn python_with_numpy() -> OsString {
    const NAME: &str = "SORTIE_TEST_NUMPY_PYTHON";
    std::env::var_os(NAME).unwrap_or_else(|| panic!("{NAME} is not set: run `cargo xtask test`"))
}
