
# ---- Set-up, in a shell of its own that becomes the evaluator ----

# Tells how far set-up has come: the last counts.
sortie_step() {
  builtin printf 'step %s\n' "$1" >&3
}

# Leaves of the environment what Slurm itself sets, and what belongs to this place. What the job had when it started is read
# from the kernel, which takes no process more, unless bash has had another script of the site's to run before this one.
sortie_clear() {
  local name all
  if [[ -z ${BASH_ENV-} ]]; then
    mapfile -t -d '' all <"/proc/$$/environ"
  else
    mapfile -t all < <(compgen -e)
  fi
  for name in "${all[@]%%=*}" PWD OLDPWD SHLVL; do
    case $name in
      *[!A-Za-z0-9_]* | '' | [0-9]*) ;; # a function, or what is none of bash's
      SLURM* | CUDA_VISIBLE_DEVICES | CUDA_MPS_* | ROCR_VISIBLE_DEVICES | GPU_DEVICE_ORDINAL | ZE_AFFINITY_MASK) ;;
      PMI_* | PMIX_* | OMPI_MCA_* | PRTE_MCA_* | HYDRA_* | I_MPI_HYDRA_*) ;;
      TMPDIR | TMP | TEMP | TEMPDIR | KRB5CCNAME | XDG_RUNTIME_DIR) ;;
      *) export -n -- "${name?}" ;;
    esac
  done
}

# sortie_inherit NAME VALUE: a variable of the launcher's, unless Slurm or the site has set it for this job.
sortie_inherit() {
  if [[ -v $1 ]]; then
    export -- "${1?}"
  else
    export -- "$1=$2"
  fi
}

# What comes first, whatever else is set up: the working directory and the environment.
sortie_prepare() {
  trap : URG # or bash 5.2 becomes the last program of a sourced script, and with it ends this shell
  sortie_step 'working directory'
  cd -- "$sortie_directory" || exit
  sortie_oldpwd=${OLDPWD-}
  sortie_step environment
  if ((sortie_only_these)); then
    sortie_clear
  fi
  sortie_environment || exit
  export SORTIE_ATTEMPT=$sortie_attempt SLURM_EXPORT_ENV=ALL || exit
  sortie_step module
  sortie_module_files=("${MODULESHOME-}/init/bash" "${LMOD_PKG-}/init/bash"
    /usr/share/{lmod/lmod,modules,Modules}/init/bash /etc/profile.d/{lmod,z00_lmod,modules}.sh)
}

# Sets sortie_file to the next file that may define `module`, a function of Environment Modules and of Lmod, where modules
# are asked for and there is none yet.
sortie_find_module() {
  ((${#sortie_modules[@]} > 0)) || return
  while ((${#sortie_module_files[@]} > 0)) && ! type module &>/dev/null; do
    sortie_file=${sortie_module_files[0]}
    sortie_module_files=("${sortie_module_files[@]:1}")
    [[ ! -r $sortie_file ]] || return 0
  done
  return 1
}

# Loads the modules, and no others. Only Lmod takes --quiet, and has something to say of what it does not unload.
sortie_load_modules() {
  local module quiet=()
  ((${#sortie_modules[@]} > 0)) || return 0
  if ! type module &>/dev/null; then
    echo 'sortie: modules are asked for, but "module" is not to be found here' >&2
    exit 127
  fi
  [[ -z ${LMOD_VERSION-}${LMOD_CMD-} ]] || quiet=(--quiet)
  module "${quiet[@]}" purge 3>&- || echo 'sortie: module purge: failed, which is ignored' >&2
  for module in "${sortie_modules[@]}"; do
    sortie_step 'module load'
    module load "$module" 3>&- || exit
  done
}

# Sets sortie_file to conda's `conda.sh`, which defines `conda activate`.
sortie_find_conda() {
  local exe root roots=()
  sortie_step conda
  exe=$(type -P conda)
  for exe in "${CONDA_EXE-}" "$exe"; do
    [[ $exe != */*/* ]] || roots+=("${exe%/*/*}")
  done
  roots+=("${MAMBA_ROOT_PREFIX:-/none}" ~/{miniforge3,miniconda3,anaconda3,mambaforge} /opt/{conda,miniforge3,miniconda3,anaconda3})
  for root in "${roots[@]}" ''; do
    [[ -n $root ]] || root=$(conda info --base) # a wrapper somewhere else
    sortie_file=$root/etc/profile.d/conda.sh
    [[ ! -r $sortie_file ]] || return 0
  done 2>/dev/null
  printf 'sortie: no etc/profile.d/conda.sh under any of: %s\n' "${roots[*]}" >&2
  echo 'sortie: set CONDA_EXE in environment.set, load a module with conda, or use activate_script' >&2
  return 1
}

# Undoes what set-up has left that is the shell's own: options and traps, also of signals that the evaluator would ignore, and
# the directory, so that paths mean what they meant before.
sortie_return() {
  builtin set +eEu
  builtin trap - EXIT ERR DEBUG RETURN HUP INT QUIT PIPE TERM URG
  if [[ $PWD != "$sortie_directory" ]]; then
    sortie_step 'working directory'
    builtin cd -L -- "$sortie_directory" || builtin exit
    OLDPWD=$sortie_oldpwd
  fi
}
