//! Merge keys, as `PyYAML` and `OmegaConf` read them.

use sortie_config::JobConfig;

/// The arguments that the mapping `m` of this text makes, as YAML, or the error.
fn arguments(text: &str) -> Result<String, String> {
    let yaml = format!(
        "{text}\njob_config: {{_target_: shinka.launch.LocalJobConfig, extra_cmd_args: *m}}\n"
    );
    let config = JobConfig::from_yaml(&yaml, "job.yaml").map_err(|error| error.to_string())?;
    let printed = |(key, value): (&String, &String)| format!("{key}={value}");
    Ok(config.spec().args.iter().map(printed).collect::<Vec<_>>().join(" "))
}

/// What each gives was printed by `PyYAML` 6.0.2 (by which `OmegaConf` 2.3 reads); values as in `OmegaConf` 2.4.0.
#[test]
fn entries_come_in_order_and_the_nearer_wins() {
    for (text, args) in [
        ("b: &b {xx: 1, yy: 2}\nm: &m {zz: 0, <<: *b, yy: 9}", "xx=1 yy=9 zz=0"),
        ("b: &b {xx: 1}\nm: &m {xx: 3, <<: *b}", "xx=3"),
        (
            "a: &a {xx: 1, yy: 2}\nb: &b {yy: 3, ww: 4}\nm: &m {<<: [*a, *b], qq: 1}",
            "yy=2 ww=4 xx=1 qq=1",
        ),
        (
            "a: &a {xx: 1, yy: 2}\nb: &b {yy: 3, ww: 4}\nm: &m\n  <<: *a\n  <<: *b\n  qq: 1",
            "xx=1 yy=3 ww=4 qq=1",
        ),
        (
            "a: &a {xx: 1, yy: 2}\nb: &b {<<: *a, yy: 3, ww: 4}\nm: &m\n  <<: *b\n  xx: 7",
            "xx=7 yy=3 ww=4",
        ),
        ("a: &a [{xx: 1}, {xx: 2, yy: 3}]\nm: &m {<<: *a}", "xx=1 yy=3"),
        ("m: &m {<<: {aa: 1, bb: 2}, xx: 1}", "aa=1 bb=2 xx=1"),
        ("m: &m {<<: [], xx: 1}", "xx=1"),
        ("a: &a {xx: {p: 1, q: 2}}\nm: &m {<<: *a, xx: {p: 3}}", "xx={'p': 3}"),
        ("a: &a {xx: 1}\nm: &m {!!merge k: *a}", "xx=1"),
        // In quotes, or with the tag of a text, it is a key like any other.
        ("a: &a {xx: 1}\nm: &m {'<<': *a}", "<<={'xx': 1}"),
        ("a: &a {xx: 1}\nm: &m {!!str <<: *a}", "<<={'xx': 1}"),
    ] {
        assert_eq!(arguments(text).as_deref(), Ok(args), "{text}");
    }
}

#[test]
fn what_cannot_be_merged_is_told_where_it_is() {
    let takes = "a merge key (`<<`) takes a mapping or a list of mappings";
    for (text, error) in [
        ("m: &m {<<: , xx: 1}", format!("`extra_cmd_args.<<`: {takes}")),
        ("m: &m {<<: [1]}", takes.to_owned()),
        ("m: &m {<<: [[{a: 1}]]}", takes.to_owned()),
        ("m: &m {<<: *m}", "an alias inside the node it stands for".to_owned()),
        ("a: &a {xx: 1, xx: 2}\nm: &m {<<: *a}", "duplicate key `xx`".to_owned()),
        ("a: &a {xx: 1}\nm: &m {<<: *a, xx: 2, xx: 3}", "duplicate key `xx`".to_owned()),
    ] {
        let told = arguments(text).unwrap_err();
        assert!(told.contains(error.trim_start_matches("`extra_cmd_args.<<`: ")), "{text}: {told}");
    }
    let yaml = "job_type: local\nlimits:\n  <<: 5\n";
    let error = JobConfig::from_yaml(yaml, "job.yaml").unwrap_err().to_string();
    assert_eq!(error, format!("job.yaml:3:7: {takes}"));
}

/// In the settings themselves, the fields of the base are located in the base.
#[test]
fn a_base_of_settings_is_merged_in() {
    let base = "x-base: &base\n  _target_: shinka.launch.SlurmCondaJobConfig\n  partition: a\n  cpus: 2\n\
                job_config:\n  <<: *base\n  cpus: 4\n";
    let config = JobConfig::from_yaml(base, "job.yaml").unwrap();
    let text = config.to_yaml().unwrap();
    assert!(text.contains("\npartition: \"a\"\n") && text.contains("\ncpus: 4\n"), "{text}");
    let error = JobConfig::from_yaml(&base.replace("partition", "partitoin"), "job.yaml");
    assert_eq!(
        error.unwrap_err().to_string(),
        "job.yaml:3:3: unknown field `partitoin`, did you mean `partition`?"
    );
}

/// A short file cannot take for ever.
#[test]
fn merges_of_merges_are_bounded() {
    let many = (0..1000).map(|n| format!("k{n}: 1")).collect::<Vec<_>>().join(", ");
    let uses = ["*a"; 1000].join(", ");
    let text = format!("a: &a {{{many}}}\nm: &m {{<<: [{uses}]}}");
    assert!(arguments(&text).unwrap_err().contains("merge keys bring more than 100000 values"));
}
