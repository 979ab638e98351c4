namespace ClusterLlm.NodeAgent.Engines.Mlx.Installing;

/// <summary>What to do to get a Python with MLX.</summary>
internal abstract record InstallAction
{
    private InstallAction()
    {
    }

    /// <summary>There is an interpreter to ask.</summary>
    internal sealed record Use(string Python) : InstallAction;

    /// <summary>An environment has to be made first.</summary>
    /// <param name="MakeWith">Full path of <c>uv</c>, or of a <c>python3</c>.</param>
    internal sealed record Make(string MakeWith, bool IsUv) : InstallAction;

    /// <summary>There is none, and none may be made.</summary>
    internal sealed record Missing(string Reason) : InstallAction;
}

/// <summary>What the machine has; read once, before <see cref="InstallPolicy"/> decides.</summary>
/// <param name="EnvironmentPython">The interpreter of the environment under the home folder, whether it exists or not.</param>
/// <param name="EnvironmentIsCurrent">It exists and was made from this build's requirements.</param>
/// <param name="Uv">Full path; null when there is none.</param>
/// <param name="Python3">Full path; null when there is none.</param>
internal sealed record InstallFacts(bool IsMac, string EnvironmentPython, bool EnvironmentIsCurrent, string? Uv, string? Python3, bool PythonSettingExists, bool WheelFolderExists);

/// <summary>Which environment to use: the setting's, the one under the home folder, or a new one.</summary>
internal static class InstallPolicy
{
    public static InstallAction Decide(MlxOptions options, InstallFacts facts)
    {
        if (!options.Enabled)
        {
            return new InstallAction.Missing($"{MlxOptions.SectionName}:Enabled is false.");
        }

        if (options.Python is { } python)
        {
            return facts.PythonSettingExists
                ? new InstallAction.Use(python)
                : new InstallAction.Missing($"{MlxOptions.SectionName}:Python is '{python}', which does not exist.");
        }

        if (facts.EnvironmentIsCurrent)
        {
            return new InstallAction.Use(facts.EnvironmentPython);
        }

        return MayInstall(options, facts) ? Make(options, facts) : new InstallAction.Missing(
            $"There is no Python environment with MLX at {facts.EnvironmentPython}: set {MlxOptions.SectionName}:Python to an interpreter that has mlx and mlx-lm, "
            + $"{MlxOptions.SectionName}:WheelFolder to a folder of wheels, or {MlxOptions.SectionName}:Install to true.");
    }

    private static bool MayInstall(MlxOptions options, InstallFacts facts) => options.Install ?? (facts.IsMac || options.WheelFolder is not null);

    private static InstallAction Make(MlxOptions options, InstallFacts facts)
    {
        if (options.WheelFolder is { } folder && !facts.WheelFolderExists)
        {
            return new InstallAction.Missing($"{MlxOptions.SectionName}:WheelFolder is '{folder}', which does not exist.");
        }

        // uv first: it brings a fitting Python when the system's is too old.
        return facts switch
        {
            { Uv: { } uv } => new InstallAction.Make(uv, IsUv: true),
            { Python3: { } python3 } => new InstallAction.Make(python3, IsUv: false),
            _ => new InstallAction.Missing("Neither uv nor python3 is on the PATH: install one of them, or set " + MlxOptions.SectionName + ":Python."),
        };
    }
}
