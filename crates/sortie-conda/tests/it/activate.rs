//! What activation changes.

use std::{
    ffi::{OsStr, OsString},
    path::Path,
};

use sortie_conda::{Activation, CondaError, Env, activate};

use crate::world::{World, env, joined};

/// Everything a shell would have afterwards.
fn after(prefix: &Path, env: &Env) -> Env {
    let mut env = env.clone();
    activate(prefix, &env.clone()).unwrap().apply(&mut env);
    env
}

#[test]
fn the_first_level() {
    let world = World::new();
    let prefix = world.environment("conda/envs/it's $(touch pwned)");
    let activation = activate(&prefix, &env([("PATH", "/usr/bin:/bin")])).unwrap();
    let expected = env([
        ("PATH", joined(&[&prefix.join("bin"), "/usr/bin".as_ref(), "/bin".as_ref()])),
        ("CONDA_DEFAULT_ENV", "it's $(touch pwned)".into()),
        ("CONDA_PREFIX", prefix.into()),
        ("CONDA_PROMPT_MODIFIER", "(it's $(touch pwned)) ".into()),
        ("CONDA_SHLVL", "1".into()),
    ]);
    assert_eq!(activation.set, expected.into_iter().collect::<Vec<_>>());
    assert!(activation.unset.is_empty() && !activation.has_scripts());
}

#[test]
fn the_installation_shows_where_it_is_known() {
    let world = World::new();
    let (root, prefix) = (world.installation("conda"), world.environment("conda/envs/x"));
    let before = env([
        ("CONDA_EXE", root.join("bin/conda").as_os_str()),
        ("PATH", OsStr::new("/bin")),
        ("_CE_M", OsStr::new("-m")),
    ]);
    let env = after(&prefix, &before);
    let get = |name: &str| &env[OsStr::new(name)];
    let path = joined(&[&prefix.join("bin"), &root.join("condabin"), "/bin".as_ref()]);
    assert_eq!(*get("PATH"), path);
    assert_eq!(*get("CONDA_EXE"), root.join("bin/conda"));
    assert_eq!(*get("CONDA_PYTHON_EXE"), root.join("bin/python"));
    assert!(!env.contains_key(OsStr::new("_CE_M")) && !env.contains_key(OsStr::new("_CE_CONDA")));

    // A condabin that is there already stays where it is.
    let mut before = before;
    before.insert("PATH".into(), joined(&["/bin".as_ref(), &root.join("condabin")]));
    let path = joined(&[&prefix.join("bin"), "/bin".as_ref(), &root.join("condabin")]);
    assert_eq!(after(&prefix, &before)[OsStr::new("PATH")], path);
}

#[test]
fn the_name_is_that_of_base_of_a_named_one_or_the_path() {
    let world = World::new();
    let env = env([("CONDA_ROOT", world.installation("conda"))]);
    let other = world.environment("other");
    for (prefix, name) in [
        (world.path("conda"), OsString::from("base")),
        (world.environment("elsewhere/envs/x"), "x".into()),
        (other.clone(), other.into()),
    ] {
        assert_eq!(after(&prefix, &env)[OsStr::new("CONDA_DEFAULT_ENV")], name);
    }
}

#[test]
fn a_further_level_takes_the_place_of_the_one_before() {
    let world = World::new();
    let (a, b) = (world.environment("envs/a"), world.environment("envs/b"));
    for script in ["activate.d/a.sh", "deactivate.d/1.sh", "deactivate.d/2.sh"] {
        world.write(&format!("envs/a/etc/conda/{script}"), "");
    }
    for script in ["activate.d/2.sh", "activate.d/10.sh", "activate.d/x.fish", "deactivate.d/b.sh"]
    {
        world.write(&format!("envs/b/etc/conda/{script}"), "");
    }
    let mut one = after(&a, &env([("PATH", "/bin")]));
    // Whatever the user put in front of it stays there, and so do other ways to write a path.
    let mut path = OsString::from("/mine::");
    path.push(joined(&[&a.join("./bin//"), "/bin".as_ref()]));
    one.insert("PATH".into(), path);

    let activation = activate(&b, &one).unwrap();
    let hooks =
        |prefix: &Path, names: [&str; 2]| names.map(|name| prefix.join("etc/conda").join(name));
    assert_eq!(activation.leave, hooks(&a, ["deactivate.d/2.sh", "deactivate.d/1.sh"]));
    assert_eq!(activation.enter, hooks(&b, ["activate.d/10.sh", "activate.d/2.sh"]));
    assert!(activation.has_scripts());

    let two = after(&b, &one);
    let path = joined(&["/mine".as_ref(), "".as_ref(), &b.join("bin"), "/bin".as_ref()]);
    assert_eq!(two[OsStr::new("PATH")], path);
    assert_eq!(two[OsStr::new("CONDA_PREFIX")], b);
    assert_eq!(two[OsStr::new("CONDA_PREFIX_1")], a);
    assert_eq!(two[OsStr::new("CONDA_SHLVL")], "2");

    // As in conda, going back to the first is one level deeper.
    let three = after(&a, &two);
    assert_eq!(three[OsStr::new("CONDA_PREFIX_2")], b);
    assert_eq!(three[OsStr::new("CONDA_PREFIX_1")], a);
    assert_eq!(three[OsStr::new("CONDA_SHLVL")], "3");
}

#[test]
fn an_environment_that_was_not_on_path_is_replaced_in_front() {
    let world = World::new();
    let (a, b) = (world.environment("envs/a"), world.environment("envs/b"));
    let env = env([
        ("PATH", "/bin".as_ref()),
        ("CONDA_PREFIX", a.as_os_str()),
        ("CONDA_SHLVL", "1".as_ref()),
    ]);
    assert_eq!(after(&b, &env)[OsStr::new("PATH")], joined(&[&b.join("bin"), "/bin".as_ref()]));
}

#[test]
fn the_active_one_is_activated_again() {
    let world = World::new();
    let prefix = world.environment("envs/x");
    world.write("envs/x/conda-meta/state", r#"{"env_vars": {"A": "state"}}"#);
    let leave = world.write("envs/x/etc/conda/deactivate.d/a.sh", "");
    let enter = world.write("envs/x/etc/conda/activate.d/a.sh", "");
    let mut once = after(&prefix, &env([("PATH", "/bin")]));
    once.insert("A".into(), "mine".into());
    once.insert("CONDA_DEFAULT_ENV".into(), "mine".into());
    let activation = activate(&prefix, &once).unwrap();
    assert_eq!((activation.leave, activation.enter), (vec![leave], vec![enter]));
    let mut expected = once.clone();
    expected.insert("CONDA_PROMPT_MODIFIER".into(), "(mine) ".into());
    assert_eq!(after(&prefix, &once), expected);
}

#[test]
fn a_prefix_without_a_level_is_not_active() {
    let world = World::new();
    let prefix = world.environment("envs/x");
    world.write("envs/x/etc/conda/deactivate.d/a.sh", "");
    let env = env([("CONDA_PREFIX", prefix.as_os_str()), ("CONDA_SHLVL", " 0 ".as_ref())]);
    let Activation { leave, set, .. } = activate(&prefix, &env).unwrap();
    assert!(leave.is_empty());
    assert!(set.contains(&("CONDA_SHLVL".into(), "1".into())));
    // Without a PATH, conda takes this one.
    assert!(set.contains(&("PATH".into(), joined(&[&prefix.join("bin"), "/usr/bin".as_ref()]))));
}

#[test]
fn hooks_may_have_hostile_names() {
    let world = World::new();
    let prefix = world.environment("x");
    let names = [" .sh", "$(touch pwned).sh", "'.sh", "-x.sh", ".hidden.sh", "\n.sh", "é.sh"];
    let mut hooks = names.map(|name| world.write(&format!("x/etc/conda/activate.d/{name}"), ""));
    hooks.sort();
    assert_eq!(activate(&prefix, &Env::new()).unwrap().enter, hooks);
}

#[test]
fn what_cannot_be_activated_is_refused() {
    let world = World::new();
    let colon = world.environment("a:b");
    let x = world.environment("x");
    let refused = |prefix: &Path, env: &Env| activate(prefix, env).unwrap_err();
    assert!(matches!(refused(&colon, &Env::new()), CondaError::Colon { .. }));
    assert!(matches!(refused(&world.path("y"), &Env::new()), CondaError::NotFound { .. }));
    for level in ["one", "-1", "1.5", "4294967295"] {
        let error = refused(&x, &env([("CONDA_SHLVL", level)]));
        assert!(matches!(error, CondaError::Level { .. }), "{level}");
    }
    world.write("x/etc/conda/activate.d", "a file");
    assert!(activate(&x, &Env::new()).unwrap().enter.is_empty());
}
