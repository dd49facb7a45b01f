//! Evaluators that are no Python file: executables in any language, directories, zipapps, and what is taken for Python.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use sortie_config::{EvaluatorKind, LocalJobConfig};
use sortie_results::{Fault, Outcome, Record};
use sortie_scheduler::{check, evaluator_sha256, preflight, preview};

use crate::{GOOD, Stage, scheduler_with};

/// With this text as its evaluator, with these permissions.
fn stage(text: &[u8], mode: u32) -> Stage {
    let stage = Stage::new("");
    let path = stage.path("evaluate");
    fs::write(&path, text).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
    stage
}

fn config(stage: &Stage, evaluator: EvaluatorKind) -> LocalJobConfig {
    LocalJobConfig {
        eval_program_path: stage.path("evaluate"),
        python_executable: None,
        evaluator,
        ..stage.config()
    }
}

/// A script that judges, and knows its arguments by their names.
fn script() -> Vec<u8> {
    let names = r#"[ "$1 $3 $5" = "--program_path --results_dir --seed" ] || exit 9"#;
    format!("#!/bin/sh\n{names}\n{GOOD}").into_bytes()
}

#[tokio::test]
async fn a_script_and_a_compiled_one_run_as_themselves() {
    let activate = "cd /tmp\nexport ACTIVATED=yes\n";
    for activated in [false, true] {
        let stage = stage(&script(), 0o755);
        fs::write(stage.path("activate"), activate).unwrap();
        let mut config = config(&stage, EvaluatorKind::Executable);
        config.activate_script = activated.then(|| stage.path("activate"));
        config.extra_cmd_args.insert("seed".into(), 7.into());
        assert_eq!(preflight(&config.clone().into()), None);
        let findings = check(&config.clone().into()).await;
        assert!(findings.iter().all(|finding| finding.result.is_ok()), "{findings:?}");
        let results = stage.run(&scheduler_with(config.clone(), 1)).await;
        assert!(results.correct, "{results:?}");
        crate::compiled::judge(&stage.path("evaluate"));
        fs::write(stage.path("candidate"), "2.5\n").unwrap();
        let findings = check(&config.clone().into()).await;
        assert!(findings.iter().all(|finding| finding.result.is_ok()), "{findings:?}");
        let results = stage.run(&scheduler_with(config, 1)).await;
        assert!(results.correct, "{results:?}");
        assert_eq!(results.metrics["combined_score"].as_f64(), Some(2.5));
    }
}

#[tokio::test]
async fn each_record_holds_the_hash_of_the_evaluator_that_was_run() {
    let stage = Stage::new(GOOD);
    let scheduler = stage.scheduler();
    let mut seen = Vec::new();
    for more in ["", "# a", "# b"] {
        fs::write(stage.path("evaluate.sh"), format!("{GOOD}{more}")).unwrap();
        assert!(stage.run(&scheduler).await.correct);
        let record = Record::read(&stage.path("results")).unwrap();
        assert_eq!(record.evaluator_sha256, evaluator_sha256(&stage.config().into()));
        seen.extend(record.evaluator_sha256);
    }
    seen.dedup();
    assert_eq!(seen.len(), 3, "{seen:?}");
    fs::remove_file(stage.path("evaluate.sh")).unwrap();
    stage.run(&scheduler).await;
    assert_eq!(Record::read(&stage.path("results")).unwrap().evaluator_sha256, None);
}

#[tokio::test]
async fn what_cannot_run_as_itself_is_not_started() {
    for (text, mode, said) in [
        (script(), 0o644, "is not executable: `chmod +x`"),
        (b"echo hi\n".to_vec(), 0o755, "begins neither with a `#!` line"),
        (b"#!/no/such/shell\n".to_vec(), 0o755, "names /no/such/shell, which does not exist"),
        (b"#!/bin/sh\r\nexit\r\n".to_vec(), 0o755, "end in CR LF"),
        (crate::compiled::without_loader(), 0o755, "no-linux"),
        (b"#!/usr/bin/env no-such-program\n".to_vec(), 0o755, "asks `env` for no-such-program"),
    ] {
        let stage = stage(&text, mode);
        same_refusal(&stage, config(&stage, EvaluatorKind::Executable), said).await;
    }
    let stage = Stage::new("");
    fs::create_dir(stage.path("evaluate")).unwrap();
    same_refusal(&stage, config(&stage, EvaluatorKind::Executable), "is not a file").await;
}

/// Only once the environment is active is it known what `env` finds.
#[tokio::test]
async fn an_interpreter_that_an_activation_does_not_bring_is_missed_beforehand() {
    let asks = format!("#!/usr/bin/env judge-sh\n{GOOD}").into_bytes();
    let prefix = |stage: &Stage| stage.path("envs/judge");
    let conda = |stage: &Stage, hook: bool| {
        crate::write(&prefix(stage).join("conda-meta/history"), "");
        if hook {
            crate::write(&prefix(stage).join("etc/conda/activate.d/hook.sh"), "export HOOKED=1\n");
        }
        let conda_env = prefix(stage).to_str().map(str::to_owned);
        LocalJobConfig { conda_env, ..config(stage, EvaluatorKind::Executable) }
    };
    let sourced = |stage: &Stage| {
        crate::write(
            &stage.path("activate"),
            &format!("PATH={}/bin:$PATH\n", prefix(stage).display()),
        );
        let activate_script = Some(stage.path("activate"));
        LocalJobConfig { activate_script, ..config(stage, EvaluatorKind::Executable) }
    };
    for kind in 0..3 {
        let stage = stage(&asks, 0o755);
        let config = match kind {
            0 => conda(&stage, false),
            1 => conda(&stage, true),
            _ => sourced(&stage),
        };
        let results = stage.run(&scheduler_with(config.clone(), 1)).await;
        let (Outcome::NotStarted { reason, .. } | Outcome::SetupFailed { reason, .. }) =
            &results.outcome
        else {
            panic!("{kind}: {results:?}")
        };
        assert!(reason.contains("judge-sh"), "{kind}: {reason}");
        assert_eq!(results.fault, Some(Fault::Setup));
        let findings = check(&config.clone().into()).await;
        let finding = findings.iter().find(|finding| finding.subject == "activation").unwrap();
        let what = &finding.result.as_ref().unwrap_err().what;
        assert!(what.contains("judge-sh"), "{kind}: {what}");

        fs::create_dir_all(prefix(&stage).join("bin")).unwrap();
        std::os::unix::fs::symlink("/bin/sh", prefix(&stage).join("bin/judge-sh")).unwrap();
        assert!(stage.run(&scheduler_with(config.clone(), 1)).await.correct, "{kind}");
        let findings = check(&config.into()).await;
        assert!(findings.iter().all(|finding| finding.result.is_ok()), "{findings:?}");
        assert!(findings.iter().any(|finding| finding.subject == "activation"), "{findings:?}");
    }
}

/// What `env` says is believed where it is of the evaluator's own first line.
#[tokio::test]
async fn what_env_misses_while_the_evaluator_runs_is_the_candidates() {
    let misses = b"#!/bin/sh\nexec /usr/bin/env no-such-program\n".to_vec();
    let stage = stage(&misses, 0o755);
    let config = config(&stage, EvaluatorKind::Executable);
    let results = stage.run(&scheduler_with(config, 1)).await;
    assert_eq!(results.outcome, Outcome::Exited { code: 127 });
    assert_eq!(results.fault, Some(Fault::Candidate));
}

#[tokio::test]
async fn python_is_not_given_what_is_no_python() {
    for (text, what) in [
        (script(), "a script for /bin/sh, which Python cannot run: set `evaluator: executable`"),
        (b"#!/usr/bin/env bash\n".to_vec(), "a script for bash, which Python cannot run"),
        (fs::read("/bin/true").unwrap(), "a compiled program (ELF), which Python cannot run"),
    ] {
        let stage = stage(&text, 0o755);
        same_refusal(&stage, config(&stage, EvaluatorKind::Python), what).await;
        // Who names another program has said what runs it.
        let named = LocalJobConfig {
            python_executable: Some("sh".into()),
            ..config(&stage, EvaluatorKind::Python)
        };
        assert_eq!(preflight(&named.into()), None);
    }
    let stage = Stage::new("");
    fs::create_dir(stage.path("evaluate")).unwrap();
    same_refusal(&stage, config(&stage, EvaluatorKind::Python), "without a `__main__.py`").await;
}

/// A run, a preview, a preflight check and a check say the same, and a run is not the candidate's fault.
async fn same_refusal(stage: &Stage, config: LocalJobConfig, said: &str) {
    let results = stage.run(&scheduler_with(config.clone(), 1)).await;
    let Outcome::NotStarted { reason, .. } = &results.outcome else { panic!("{results:?}") };
    assert!(reason.contains(said), "{reason}");
    assert_eq!(results.fault, Some(Fault::Setup));
    let config = config.into();
    assert_eq!(&preflight(&config).unwrap().what, reason);
    assert_eq!(&preview(&config, "candidate", "results").unwrap_err().to_string(), reason);
    let findings = check(&config).await;
    let finding = findings.iter().find(|finding| finding.subject == "evaluator").unwrap();
    assert_eq!(&finding.result.as_ref().unwrap_err().what, reason);
}

/// What writes good results, in Python, with a module beside it.
const MAIN: &str = "import beside, sys\nbeside.judge(sys.argv[4])\n";
const BESIDE: &str = "def judge(dir):\n\
    \x20open(dir + '/metrics.json', 'w').write('{\"combined_score\": 1}')\n\
    \x20open(dir + '/correct.json', 'w').write('{\"correct\": true}')\n";

#[tokio::test]
async fn directories_and_zipapps_are_checked_and_run_alike() {
    let stage = Stage::new("");
    let app = stage.path("app");
    fs::create_dir(&app).unwrap();
    fs::write(app.join("__main__.py"), MAIN).unwrap();
    fs::write(app.join("beside.py"), BESIDE).unwrap();
    let zipapp = ["-m", "zipapp", "-p", "/usr/bin/env python3", app.to_str().unwrap()];
    crate::run_program("python3", &zipapp);
    for path in [app, stage.path("app.pyz")] {
        let config = with_python(&stage, &path);
        let findings = check(&config.clone().into()).await;
        assert!(findings.iter().all(|finding| finding.result.is_ok()), "{findings:?}");
        let results = stage.run(&scheduler_with(config, 1)).await;
        assert!(results.correct, "{results:?}");
    }
}

fn with_python(stage: &Stage, path: &Path) -> LocalJobConfig {
    LocalJobConfig { eval_program_path: path.into(), python_executable: None, ..stage.config() }
}

/// A shell never executes the text that Python is given to keep warm: `import` is a program that takes the screen.
#[tokio::test]
async fn a_shell_is_given_no_python() {
    let stage = Stage::new(GOOD);
    let bin = stage.path("bin");
    fs::create_dir(&bin).unwrap();
    let import = format!("#!/bin/sh\necho taken > {}\n", stage.path("taken").display());
    fs::write(bin.join("import"), import).unwrap();
    fs::set_permissions(bin.join("import"), fs::Permissions::from_mode(0o755)).unwrap();
    for shell in ["sh", "bash"] {
        let mut config = stage.config();
        config.python_executable = Some(shell.into());
        let path = format!("{}:{}", bin.display(), std::env::var("PATH").unwrap());
        config.environment.set.insert("PATH".into(), path);
        let findings = check(&config.clone().into()).await;
        assert!(findings.iter().all(|finding| finding.result.is_ok()), "{findings:?}");
        config.warm = Some(sortie_config::Warm::default());
        let findings = check(&config.clone().into()).await;
        let warm = findings.iter().find(|finding| finding.subject == "warm").unwrap();
        let said = &warm.result.as_ref().unwrap_err().what;
        assert_eq!(said, "what runs the evaluator is a shell and no Python: leave `warm` out");
        let results = stage.run(&scheduler_with(config, 1)).await;
        assert!(results.correct, "{results:?}");
        assert!(!stage.path("taken").exists());
    }
}
