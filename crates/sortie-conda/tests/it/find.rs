//! From a name or path to a prefix.

use std::{fs, path::Path};

use sortie_conda::{CondaError, Env, find};

use crate::world::{World, env, joined};

/// An installation with a configuration file in every place, each naming a directory of its own.
fn configured(world: &World) -> Env {
    let write = |file: &str, key: &str, directory: &str| {
        world.write(
            file,
            format!("channels: [x]\n{key}:\n  - {}\n", world.path(directory).display()),
        );
    };
    world.installation("conda");
    write("my.yaml", "envs_dirs", "in-CONDARC");
    write("active/condarc", "envs_dirs", "in-active");
    write("home/.condarc", "envs_dirs", "in-home");
    write("home/.conda/condarc.d/b.yml", "envs_path", "in-home-d-b");
    write("home/.conda/condarc.d/a.yaml", "envs_dirs", "in-home-d-a");
    write("home/.conda/condarc.d/c.txt", "envs_dirs", "never");
    write("home/.conda/.condarc", "envs_dirs", "in-home-conda");
    write("home/.config/conda/.condarc", "envs_dirs", "in-home-config");
    write("xdg/conda/.condarc", "envs_dirs", "in-xdg");
    write("conda/.condarc", "envs_dirs", "in-root");
    env([
        ("CONDA_ENVS_DIRS", joined(&[&world.path("dirs-1"), &world.path("dirs-2")])),
        ("CONDA_ENVS_PATH", world.path("path").into()),
        ("CONDARC", world.path("my.yaml").into()),
        ("CONDA_PREFIX", world.path("active").into()),
        ("XDG_CONFIG_HOME", world.path("xdg").into()),
        ("CONDA_EXE", world.path("conda/bin/conda").into()),
        ("MAMBA_ROOT_PREFIX", world.path("mamba").into()),
    ])
}

#[test]
fn a_name_is_looked_up_in_condas_order() {
    let world = World::plain();
    let env = configured(&world);
    let order = [
        "dirs-1",
        "dirs-2",
        "path",
        "in-CONDARC",
        "in-active",
        "in-home",
        "in-home-d-b",
        "in-home-d-a",
        "in-home-conda",
        "in-home-config",
        "in-xdg",
        "in-root",
        "conda/envs",
        "home/.conda/envs",
        "mamba/envs",
        "listed/of",
    ];
    world.environment("never/x");
    world.environment("listed/of/not-x");
    let lines = ["listed/of/not-x", "listed/gone/x", "listed/of/x"].map(|line| world.path(line));
    let lines = lines.map(|line| line.to_str().unwrap().to_owned()).join("\n");
    world.write("home/.conda/environments.txt", lines);
    let places = order.map(|place| world.environment(&format!("{place}/x")));
    for place in places {
        assert_eq!(world.find("x", &env).unwrap(), place);
        fs::remove_dir_all(place.join("conda-meta")).unwrap();
    }
    let Err(CondaError::NotFound { name, looked }) = world.find("x", &env) else { panic!() };
    assert_eq!(name, "x");
    let at_last = ["listed/gone/x", "listed/of/x", "home/.conda/environments.txt"];
    let all = order[..15].iter().map(|place| format!("{place}/x"));
    let all = all.chain(at_last.map(String::from)).map(|place| world.path(&place));
    assert_eq!(looked, all.collect::<Vec<_>>());
}

#[test]
fn ones_own_come_first_where_the_installation_is_not_ones_own() {
    let world = World::new();
    let env = env([("CONDA_ROOT", world.path("conda"))]);
    let (shared, own) =
        (world.environment("conda/envs/x"), world.environment("home/.conda/envs/x"));
    // Without a history that can be appended to, conda takes an installation for read-only.
    assert_eq!(world.find("x", &env).unwrap(), own);
    world.installation("conda");
    assert_eq!(world.find("x", &env).unwrap(), shared);
}

#[test]
fn a_name_may_be_hostile() {
    let world = World::new();
    let env = env([("CONDA_ROOT", world.path("conda"))]);
    for name in ["a b", "it's", "$(touch pwned)", "new\nline", "-n", "é", "$HOME", "*", "base "] {
        let prefix = world.environment(&format!("conda/envs/{name}"));
        assert_eq!(world.find(name, &env).unwrap(), prefix);
    }
}

#[test]
fn a_path_is_a_path() {
    let world = World::new();
    let prefix = world.environment("home/envs/x");
    let env = env([("WHERE", world.path("home/envs"))]);
    for path in ["~/envs/x", "../home/envs/x/", "$WHERE/x", "${WHERE}//./x", "./../home/envs/x"] {
        assert_eq!(world.find(path, &env).unwrap(), prefix, "{path}");
    }
    let here = |cwd| find(".", &env, None, cwd);
    assert_eq!(here(&prefix).unwrap(), prefix);
    assert_eq!(find("..", &env, None, &prefix.join("bin")).unwrap(), prefix);
    assert!(matches!(here(&world.path("work")), Err(CondaError::NotFound { .. })));
}

#[test]
fn what_is_missing_is_named_with_every_place() {
    let world = World::plain();
    let message = |name: &str, env: &Env| world.find(name, env).unwrap_err().to_string();
    let at = |path: &str| world.path(path).display().to_string();

    let env = env([("CONDA_ROOT", world.path("conda"))]);
    let expected = format!(
        "no Conda environment `x`: no directory with a conda-meta directory in it at {}, {}",
        at("home/.conda/envs/x"),
        at("conda/envs/x")
    );
    assert_eq!(message("x", &env), expected);
    let expected = "no Conda environment `./x`: no directory with a conda-meta directory in it at ";
    assert_eq!(message("./x", &env), format!("{expected}{}", at("work/x")));
    assert!(message("base", &env).ends_with(&at("conda")));
    assert!(message("base", &Env::new()).ends_with("or set CONDA_EXE or MAMBA_ROOT_PREFIX"));
    assert!(find("", &Env::new(), None, Path::new("/")).is_err());
}

#[test]
fn a_configuration_that_cannot_be_read_is_located() {
    let world = World::plain();
    world.environment("home/.conda/envs/x");
    let file = world.write("home/.condarc", "");
    assert!(world.find("x", &Env::new()).is_ok());
    for text in ["envs_dirs: [", "envs_dirs: {a: b}", "- envs_dirs", "envs_dirs: /a", "a: \u{1}"] {
        fs::write(&file, text).unwrap();
        let error = world.find("x", &Env::new()).unwrap_err();
        let expected = format!("{}: not a Conda configuration: ", file.display());
        assert!(error.to_string().starts_with(&expected), "{error}");
        // A path needs no configuration.
        assert!(world.find("~/.conda/envs/x", &Env::new()).is_ok());
    }
}
