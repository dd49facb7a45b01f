
# ---- Set-up, in a shell of its own that becomes the evaluator ----

# Tells how far set-up has come: the last counts.
sortie_step() {
  builtin printf 'step %s\n' "$1" >&3
}

# Leaves of the environment what Slurm itself sets.
sortie_clear() {
  local name
  while read -r name; do
    case $name in
      SLURM* | CUDA_VISIBLE_DEVICES | ROCR_VISIBLE_DEVICES | GPU_DEVICE_ORDINAL | ZE_AFFINITY_MASK) ;;
      *) export -n -- "${name?}" ;;
    esac
  done < <(compgen -e)
}

# What comes first, whatever else is set up: the working directory, the environment, the modules.
sortie_prepare() {
  set +m
  sortie_step 'working directory'
  cd -- "$sortie_directory" || exit
  sortie_step environment
  if ((sortie_only_these)); then
    sortie_clear
  fi
  sortie_environment || exit
  export SORTIE_ATTEMPT=$sortie_attempt SLURM_EXPORT_ENV=ALL || exit
  sortie_load_modules
}

# Loads the modules. `module` is a function, which Environment Modules and Lmod define in these files.
sortie_load_modules() {
  local file module
  sortie_step module
  if ((${#sortie_modules[@]} > 0)); then
    for file in "${MODULESHOME-}/init/bash" "${LMOD_PKG-}/init/bash" \
      /usr/share/{lmod/lmod,modules,Modules}/init/bash /etc/profile.d/{lmod,z00_lmod,modules}.sh; do
      if ! type module &>/dev/null && [[ -r $file ]]; then
        source "$file" 3>&-
      fi
    done
    if ! type module &>/dev/null; then
      echo 'sortie: modules are asked for, but "module" is not to be found here' >&2
      exit 127
    fi
  fi
  if type module &>/dev/null; then
    module --quiet purge 3>&- || echo 'sortie: module purge: failed, which is ignored' >&2
  fi
  for module in "${sortie_modules[@]}"; do
    sortie_step 'module load'
    module load "$module" 3>&- || exit
  done
}

# Sets sortie_profile to conda's `conda.sh`, which defines `conda activate`.
sortie_find_conda() {
  local exe root roots=()
  exe=$(type -P conda)
  for exe in "${CONDA_EXE-}" "$exe"; do
    [[ $exe != */*/* ]] || roots+=("${exe%/*/*}")
  done
  roots+=("${MAMBA_ROOT_PREFIX:-/none}" ~/{miniforge3,miniconda3,anaconda3,mambaforge} /opt/{conda,miniforge3,miniconda3,anaconda3})
  for root in "${roots[@]}" ''; do
    [[ -n $root ]] || root=$(conda info --base) # a wrapper somewhere else
    sortie_profile=$root/etc/profile.d/conda.sh
    [[ ! -r $sortie_profile ]] || return 0
  done 2>/dev/null
  printf 'sortie: no etc/profile.d/conda.sh under any of: %s\n' "${roots[*]}" >&2
  echo 'sortie: set CONDA_EXE in environment.set, load a module with conda, or use activate_script' >&2
  return 1
}

# Activates what is asked for. Neither conda nor most scripts bear `set -u`; a script that fails under
# `set -e` ends this shell.
sortie_activate() {
  case ${sortie_activate[0]-} in
    conda)
      sortie_step conda
      sortie_find_conda || exit
      source "$sortie_profile" 3>&- || exit
      sortie_step 'conda activate'
      conda activate "${sortie_activate[1]}" 3>&- || exit
      ;;
    source)
      sortie_step 'activate script'
      set -e
      source "${sortie_activate[1]}" 3>&-
      ;;
  esac
  builtin set +eu
}
