using ClusterLlm.NodeAgent.Engines.Mlx;
using ClusterLlm.NodeAgent.Engines.Mlx.Installing;

namespace ClusterLlm.NodeAgent.Tests.Engines.Mlx.Units;

public sealed class InstallPolicyTests
{
    private static readonly InstallFacts Bare = new(IsMac: false, "/home/mlx/bin/python", false, null, "/usr/bin/python3", false, false);

    [Fact]
    public void Decide_PythonSetting_IsUsedBeforeAnythingElse()
    {
        var action = InstallPolicy.Decide(new MlxOptions { Python = "/opt/python" }, Bare with { PythonSettingExists = true, EnvironmentIsCurrent = true });

        Assert.Equal(new InstallAction.Use("/opt/python"), action);
    }

    [Fact]
    public void Decide_PythonSettingThatIsNotThere_NamesKeyAndPath()
    {
        var missing = Assert.IsType<InstallAction.Missing>(InstallPolicy.Decide(new MlxOptions { Python = "/opt/python" }, Bare));

        Assert.Equal("Engines:Mlx:Python is '/opt/python', which does not exist.", missing.Reason);
    }

    [Fact]
    public void Decide_CurrentEnvironment_IsUsed() =>
        Assert.Equal(new InstallAction.Use("/home/mlx/bin/python"), InstallPolicy.Decide(new MlxOptions(), Bare with { EnvironmentIsCurrent = true }));

    [Fact]
    public void Decide_LinuxWithoutASource_InstallsNothing()
    {
        var missing = Assert.IsType<InstallAction.Missing>(InstallPolicy.Decide(new MlxOptions(), Bare));

        Assert.Contains("Engines:Mlx:WheelFolder", missing.Reason, StringComparison.Ordinal);
    }

    [Fact]
    public void Decide_WheelFolder_MakesAnEnvironmentWithUvBeforePython3()
    {
        var options = new MlxOptions { WheelFolder = "/wheels" };

        Assert.Equal(new InstallAction.Make("/usr/bin/python3", IsUv: false), InstallPolicy.Decide(options, Bare with { WheelFolderExists = true }));
        Assert.Equal(new InstallAction.Make("/bin/uv", IsUv: true), InstallPolicy.Decide(options, Bare with { WheelFolderExists = true, Uv = "/bin/uv" }));
        Assert.IsType<InstallAction.Missing>(InstallPolicy.Decide(options, Bare));
    }

    [Fact]
    public void Decide_Mac_MakesAnEnvironmentUnlessItMayNot()
    {
        Assert.IsType<InstallAction.Make>(InstallPolicy.Decide(new MlxOptions(), Bare with { IsMac = true }));
        Assert.IsType<InstallAction.Missing>(InstallPolicy.Decide(new MlxOptions { Install = false }, Bare with { IsMac = true }));
        Assert.IsType<InstallAction.Missing>(InstallPolicy.Decide(new MlxOptions(), Bare with { IsMac = true, Python3 = null }));
    }

    [Fact]
    public void Decide_SwitchedOff_SaysSo() =>
        Assert.Equal(new InstallAction.Missing("Engines:Mlx:Enabled is false."), InstallPolicy.Decide(new MlxOptions { Enabled = false }, Bare));
}
