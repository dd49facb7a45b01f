//! The installation, as it shows in an environment.

use std::{fs, os::unix::fs::symlink};

use sortie_conda::Env;

use crate::world::{World, env, joined};

#[test]
fn base_is_the_installation_however_it_is_known() {
    let world = World::new();
    let root = world.installation("conda");
    world.write("conda/condabin/conda", "");
    world.environment("conda/envs/x");
    fs::create_dir_all(world.path("local/bin")).unwrap();
    symlink(root.join("bin/conda"), world.path("local/bin/conda")).unwrap();
    let empty = world.path("work");
    for env in [
        env([("CONDA_EXE", root.join("bin/conda"))]),
        env([("_CONDA_ROOT", &root)]),
        env([("CONDA_ROOT", &root)]),
        env([("PATH", joined(&[&empty, &root.join("bin")]))]),
        env([("PATH", joined(&[&root.join("condabin")]))]),
        env([("PATH", joined(&[&empty, &world.path("local/bin")]))]),
        env([("CONDA_PREFIX", &root)]),
        env([("CONDA_PREFIX", root.join("envs/x"))]),
        env([("MAMBA_ROOT_PREFIX", &root)]),
        env([("MAMBA_EXE", root.join("bin/mamba"))]),
    ] {
        for name in ["base", "root"] {
            assert_eq!(world.find(name, &env).unwrap(), root, "{env:?}");
        }
        assert_eq!(world.find("x", &env).unwrap(), root.join("envs/x"), "{env:?}");
    }
}

#[test]
fn what_is_no_installation_is_not_base() {
    let world = World::new();
    let prefix = world.environment("somewhere/x");
    world.write("micromamba/bin/mamba", "");
    for env in [
        Env::new(),
        env([("CONDA_PREFIX", &prefix)]),
        env([("CONDA_EXE", "conda")]),
        env([("CONDA_ROOT", "")]),
        env([("MAMBA_EXE", world.path("micromamba/bin/mamba"))]),
        env([("PATH", world.path("somewhere/x/bin"))]),
    ] {
        assert!(world.find("base", &env).is_err(), "{env:?}");
    }
}

#[test]
fn conda_comes_before_mamba() {
    let world = World::new();
    let (conda, mamba) = (world.installation("conda"), world.environment("mamba"));
    let env = env([("MAMBA_ROOT_PREFIX", &mamba), ("CONDA_EXE", &conda.join("bin/conda"))]);
    assert_eq!(world.find("base", &env).unwrap(), conda);
}
