//! temporary
#![allow(missing_docs, clippy::unwrap_used)]
use std::{fs::File, sync::Arc, time::Instant};
use sortie_process::{Command, Files, FromTemplate, Limits, Supervisor, Template};
#[tokio::main(flavor = "current_thread")]
async fn main() {
    let args: Vec<String> = std::env::args().collect();
    let (python, evaluator, n, workers) = (&args[1], &args[2], args[3].parse::<usize>().unwrap(), args[4].parse::<usize>().unwrap());
    let env: Arc<[_]> = std::env::vars_os().collect();
    let job: Vec<std::ffi::OsString> = vec![evaluator.into(), "--program_path".into(), "x".into()];
    let server = Template { program: python.into(), args: sortie_warm::server_args(evaluator.as_ref(), &[]), env: env.clone(), cwd: "/tmp".into(), ..sortie_warm::template() };
    let mut command = Command { program: python.into(), args: job.clone(), env, cwd: "/tmp".into(), limits: Limits::default(), announces_ready: false, template: None };
    for warm in [false, true] {
        command.template = warm.then(|| FromTemplate { template: Arc::new(server.clone()), args: job.clone() });
        let supervisor = Supervisor::new();
        let one = |supervisor: Supervisor, command: Command| async move {
            let log = File::options().append(true).open("/dev/null").unwrap();
            let files = Files { stdout: log.try_clone().unwrap(), stderr: log, hold: None };
            supervisor.spawn(&command, files).await.unwrap().wait().await.unwrap()
        };
        let t = Instant::now();
        let first = one(supervisor.clone(), command.clone()).await;
        let first_time = t.elapsed();
        // all workers' servers
        let mut set = tokio::task::JoinSet::new();
        for _ in 0..workers { set.spawn(one(supervisor.clone(), command.clone())); }
        while set.join_next().await.is_some() {}
        let t = Instant::now();
        let mut started = 0; 
        while started < workers { set.spawn(one(supervisor.clone(), command.clone())); started += 1; }
        let mut last = None;
        while let Some(r) = set.join_next().await { last = Some(r.unwrap()); if started < n { started += 1; set.spawn(one(supervisor.clone(), command.clone())); } }
        let per = t.elapsed().as_secs_f64() * 1000.0 / n as f64;
        let last = last.unwrap();
        println!("warm={warm} first {first_time:?} ({:?}); {per:.2} ms a job, {:.0} jobs/s; cpu of last {:?} peak {} MB {:?}", first.start, 1000.0/per, last.usage.user+last.usage.system, last.usage.peak_memory>>20, last.start);
    }
}
