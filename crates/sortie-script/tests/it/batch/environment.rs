//! Which variables reach the evaluator.

use std::ffi::OsString;

use super::{
    case::{Activation, Case},
    node::Node,
};

/// The variables that the evaluator of this case has, but for those of `sh` itself.
fn environment(change: impl FnOnce(&mut Case), job: &[(&str, &str)]) -> Vec<String> {
    let node = Node::new("env -0");
    let mut case = node.case();
    change(&mut case);
    let ended = node.run_with(&case, job);
    assert!(ended.status.success(), "{ended:?}");
    let of_sh = ["PATH", "HOME", "PWD", "OLDPWD", "SHLVL", "_", "SORTIE_ATTEMPT"];
    let is_of_sh = |pair: &str| pair.split_once('=').is_none_or(|(name, _)| of_sh.contains(&name));
    let pairs = ended.stdout.split('\0').filter(|pair| !is_of_sh(pair));
    let mut pairs: Vec<_> = pairs.map(str::to_owned).collect();
    pairs.sort();
    pairs
}

fn pairs(pairs: &[(&str, &str)]) -> Vec<(OsString, OsString)> {
    pairs.iter().map(|(name, value)| ((*name).into(), (*value).into())).collect()
}

const SLURMS: [&str; 3] = ["SLURMD_NODENAME=node1", "SLURM_EXPORT_ENV=ALL", "SLURM_JOB_ID=7"];

#[test]
fn what_slurm_sets_stays_and_the_launchers_own_place_is_left_out() {
    let inherited = [
        ("SLURM_JOB_ID", "1"),
        ("SLURM_CPU_BIND", "mask"),
        ("SBATCH_PARTITION", "other"),
        ("CUDA_VISIBLE_DEVICES", "3"),
        ("PWD", "/launcher"),
        ("LANG", "C"),
    ];
    let job = [("CUDA_VISIBLE_DEVICES", "0"), ("SITE", "x")];
    let got = environment(|case| case.inherited.extend(pairs(&inherited)), &job);
    let mut expected = SLURMS.to_vec();
    expected.extend(["CUDA_VISIBLE_DEVICES=0", "LANG=C", "SITE=x", "USER=me"]);
    expected.sort_unstable();
    assert_eq!(got, expected);
}

/// What a site's `TaskProlog` prints is in the job's environment when it starts.
#[test]
fn what_the_site_sets_wins_and_what_belongs_to_a_place_stays_there() {
    let inherited = [
        ("TMPDIR", "/launcher"),
        ("KRB5CCNAME", "FILE:/home/me/cc"),
        ("SITE", "launcher"),
        ("PMIX_RANK", "3"),
        ("OMPI_COMM_WORLD_RANK", "3"),
        ("XDG_RUNTIME_DIR", "/run/user/9"),
        ("SSH_AUTH_SOCK", "/tmp/agent"),
        ("GREETING", "hello"),
        ("EMPTY", "x"),
        ("PYTHONPATH", "/launcher"),
    ];
    let job = [
        ("TMPDIR", "/node"),
        ("KRB5CCNAME", "FILE:/node/cc"),
        ("SITE", "a 'b'"),
        ("EMPTY", ""),
        ("PYTHONPATH", "/login"),
    ];
    let got = environment(|case| case.inherited.extend(pairs(&inherited)), &job);
    let mut expected = SLURMS.to_vec();
    expected.extend([
        "EMPTY=",
        "GREETING=hello",
        "KRB5CCNAME=FILE:/node/cc",
        "PYTHONPATH=/launcher",
    ]);
    expected.extend(["SITE=a 'b'", "TMPDIR=/node", "USER=me"]);
    expected.sort_unstable();
    assert_eq!(got, expected);

    // The user over all, in all.
    let set =
        [("TMPDIR", "/user"), ("SITE", "user"), ("PMIX_RANK", "1"), ("XDG_RUNTIME_DIR", "/u")];
    let got = environment(
        |case| {
            case.inherited.extend(pairs(&inherited));
            case.set = pairs(&set);
        },
        &job,
    );
    for (name, value) in set {
        assert!(got.contains(&format!("{name}={value}")), "{name}: {got:?}");
    }

    // Of what is let through by name too, and nothing else.
    let got = environment(
        |case| {
            case.only_these = true;
            case.inherited.extend(pairs(&[("SITE", "launcher"), ("GREETING", "hello")]));
        },
        &[("SITE", "site"), ("TMPDIR", "/node"), ("OTHER", "x"), ("PRTE_MCA_plm_slurm_args", "y")],
    );
    let mut expected = SLURMS.to_vec();
    expected.extend(["GREETING=hello", "PRTE_MCA_plm_slurm_args=y", "SITE=site", "TMPDIR=/node"]);
    expected.sort_unstable();
    assert_eq!(got, expected);
}

#[test]
fn only_these_leaves_what_slurm_sets() {
    let job = [("CUDA_VISIBLE_DEVICES", "0"), ("SITE", "x"), ("OPENAI_API_KEY", "secret")];
    let got = environment(
        |case| {
            case.only_these = true;
            case.set = pairs(&[("A", "1")]);
        },
        &job,
    );
    assert_eq!(got, ["A=1", "CUDA_VISIBLE_DEVICES=0", SLURMS[0], SLURMS[1], SLURMS[2]]);
}

#[test]
fn the_last_wins_and_the_user_over_all() {
    let node = Node::new("");
    let file = node.home.write("activate", "export B=activated C=activated D=activated");
    let evaluator = [("B", "evaluator"), ("C", "evaluator")].map(|(n, v)| (n.into(), v.into()));
    let got = environment(
        |case| {
            case.only_these = true;
            case.inherited.extend(pairs(&[("A", "inherited"), ("B", "inherited")]));
            case.set = pairs(&[("A", "set"), ("C", "set")]);
            case.evaluator = evaluator.to_vec();
            case.activation = Activation::Sourced(file);
        },
        &[],
    );
    // What the user sets is not set again after the activation.
    let expected = ["A=set", "B=evaluator", "C=activated", "D=activated"];
    assert_eq!(got[..4], expected);
}
