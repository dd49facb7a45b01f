print("python", sys.executable, sys.version.split()[0])
