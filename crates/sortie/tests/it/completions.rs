//! Completions and manual pages, which are made from the command line itself.

use std::fs;

use crate::stage::{Stage, ran};

/// The commands that the help lists.
fn commands(stage: &Stage) -> Vec<String> {
    let help = ran(&mut stage.sortie(["--help"])).stdout;
    let listed = help.lines().skip_while(|line| *line != "Commands:").skip(1);
    let listed = listed.take_while(|line| !line.is_empty());
    let commands: Vec<_> =
        listed.filter_map(|line| Some(line.split_whitespace().next()?.to_owned())).collect();
    assert!(commands.len() > 10, "{help}");
    commands.into_iter().filter(|command| command != "help").collect()
}

#[test]
fn bash_completes_with_them() {
    let stage = Stage::empty();
    stage.write("sortie.bash", ran(&mut stage.sortie(["completions", "bash"])).stdout);
    let complete = |line: &str| {
        let script = r#"source sortie.bash; COMP_WORDS=($1) COMP_CWORD=$((${#COMP_WORDS[@]} - 1))
            [[ $1 == *' ' ]] && COMP_WORDS+=('') && COMP_CWORD=$((COMP_CWORD + 1))
            _sortie sortie "${COMP_WORDS[COMP_CWORD]}" "${COMP_WORDS[COMP_CWORD - 1]}"
            printf '%s\n' "${COMPREPLY[@]}""#;
        let ran = ran(stage.command("bash").args(["-c", script, "bash", line]));
        assert_eq!(ran.stderr, "", "{ran:?}");
        ran.stdout.lines().map(str::to_owned).collect::<Vec<_>>()
    };
    let all = complete("sortie ");
    assert!(commands(&stage).iter().all(|command| all.contains(command)), "{all:?}");
    assert_eq!(complete("sortie comp"), ["completions"]);
    assert_eq!(complete("sortie init slurm"), ["slurm_conda", "slurm_docker"]);
    assert_eq!(complete("sortie run --conf"), ["--config"]);
    assert_eq!(complete("sortie schema res"), ["results"]);
}

#[test]
fn the_other_shells_are_told_the_same() {
    let stage = Stage::empty();
    for (shell, option) in [("zsh", "--config"), ("fish", "-l config")] {
        let script = ran(&mut stage.sortie(["completions", shell])).stdout;
        assert!(script.contains(option), "{script}");
        assert!(commands(&stage).iter().all(|command| script.contains(command)), "{script}");
    }
}

#[test]
fn there_is_a_page_for_each_command() {
    let stage = Stage::empty();
    let ran_man = ran(&mut stage.sortie(["man", "pages"]));
    assert_eq!(
        (ran_man.status, ran_man.stdout.as_str(), ran_man.stderr.as_str()),
        (Some(0), "", "")
    );
    let commands = commands(&stage);
    let mut pages: Vec<_> = commands.iter().map(|command| format!("sortie-{command}.1")).collect();
    pages.push("sortie.1".to_owned());
    pages.sort();
    let written = fs::read_dir(stage.path("pages")).unwrap();
    let mut written: Vec<_> =
        written.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    written.sort();
    assert_eq!(written, pages);
    assert_eq!(stage.read("pages/sortie.1"), ran(&mut stage.sortie(["man"])).stdout);
    let run = stage.read("pages/sortie-run.1");
    for said in [".TH sortie-run 1", "\\-\\-config", "\\-\\-set", "Exit status:", "\\-\\-verbose"] {
        assert!(run.contains(said), "{said}\n{run}");
    }
}
