using ClusterLlm.Coordinator.Nodes.Adding.Checks;
using ClusterLlm.Coordinator.Nodes.Adding.Installing;

namespace ClusterLlm.Coordinator.Tests.Nodes.Adding;

/// <summary>The checks on a Mac, with what Macs were recorded to answer.</summary>
public sealed class MacChecksTests
{
    [Fact]
    public void CheckCommands_OfAMac_AllHaveARecordedAnswer() =>
        Assert.Equal(CheckCommands.For(TargetSystem.Mac).Select(command => command.Name).Order(StringComparer.Ordinal), RecordedMac.Answers().Keys.Order(StringComparer.Ordinal));

    [Fact]
    public void Read_RecordedAnswers_AreTheFacts()
    {
        var facts = RecordedMac.Facts();

        Assert.Equal(("macOS 26.6.2", 26), (facts.OperatingSystem, facts.MajorVersion));
        Assert.Equal(("VirtualMac2,1", "Apple M1 (Virtual)", 7516192768L), (facts.HardwareModel, facts.Chip, facts.MemoryBytes));
        Assert.Equal((83050812L * 1024, 83050812L * 1024), (facts.FreeBytes, facts.FreeHomeBytes));
        Assert.Equal(1, facts.SleepMinutes);
        Assert.Null(facts.RestartsAfterPowerCut);
        Assert.True(facts.DiskIsEncrypted);
        Assert.Null(facts.PortHolder);
        Assert.Null(facts.Installed);
        Assert.Equal("192.168.1.10", facts.Identity.SeenAddress);
        Assert.Equal("osx-arm64", facts.Identity.RuntimeIdentifier);
    }

    [Theory]
    [InlineData(22, "*.22")]
    [InlineData(3283, "*.3283")]
    [InlineData(631, "127.0.0.1.631")]
    [InlineData(283, null)]
    [InlineData(900, null)]
    public void Listener_RecordedNetstat_IsWhoHoldsThePort(int port, string? holder) =>
        Assert.Equal(holder, MacOutputs.Listener(RecordedMac.Read("netstat_anv_listen_macos11.txt"), port));

    [Fact]
    public void Listener_WithoutExtraColumns_IsReadToo() =>
        Assert.Equal("*.19050", MacOutputs.Listener("tcp46      0      0  *.19050                *.*                    LISTEN     \n", 19050));

    [Fact]
    public void Decide_MacWithSudo_InstallsADaemonAndNotesSleepFileVaultAndPython()
    {
        var verdict = TargetVerdict.Decide(RecordedMac.Facts(), userService: false, 7430);

        Assert.Empty(verdict.Problems);
        Assert.True(verdict.AsRoot);
        Assert.Equal(["The Mac sleeps after 1", "FileVault is on", "No Python was found"], verdict.Notes.Select(note => note[..Math.Min(note.Length, 22)].TrimEnd()).Select(Beginning));

        static string Beginning(string note) => note.StartsWith("FileVault", StringComparison.Ordinal) ? "FileVault is on" : note.StartsWith("No Python", StringComparison.Ordinal) ? "No Python was found" : note;
    }

    [Fact]
    public void Decide_MacWithoutSudo_OffersALaunchAgentAndSaysWhatItCannotDo()
    {
        var facts = RecordedMac.Facts(root: RootAccess.None);

        var refused = TargetVerdict.Decide(facts, userService: false, 7430);
        Assert.True(refused.NeedsRootOnly);
        var problem = Assert.Single(refused.Problems);
        Assert.Contains("anna", problem, StringComparison.Ordinal);
        Assert.Contains("logs in", problem, StringComparison.Ordinal);
        Assert.Contains("Local Network", problem, StringComparison.Ordinal);

        var agreed = TargetVerdict.Decide(facts, userService: true, 7430);
        Assert.Empty(agreed.Problems);
        Assert.False(agreed.AsRoot);
        Assert.Contains(agreed.Notes, note => note.Contains("Local Network", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("Linux riscv64", "riscv64")]
    [InlineData("Darwin x86_64", "Apple silicon")]
    public void Decide_OtherMachine_SaysForWhichThereAreAgents(string kernel, string expected)
    {
        var identity = TargetFactsReader.ReadIdentity(new CommandAnswer(0, $"{kernel}\nhost\n0\nroot\n/root\n\n", ""), out _)!;
        var verdict = TargetVerdict.Decide(TargetFactsReader.Read(identity, new Dictionary<string, CommandAnswer>(), RootAccess.IsRoot, 7430), userService: false, 7430);

        Assert.Null(verdict.RuntimeIdentifier);
        Assert.Contains(verdict.Problems, problem => problem.Contains(expected, StringComparison.Ordinal));
    }

    [Fact]
    public void Decide_ShellUnderRosetta_GetsTheAgentOfAppleSilicon()
    {
        var answers = RecordedMac.Answers();
        answers[CheckCommands.Hardware] = new(0, "hw.model: Mac14,12\nsysctl.proc_translated: 1\n", "");
        var facts = TargetFactsReader.Read(RecordedMac.Identity with { Architecture = "x86_64" }, answers, RootAccess.IsRoot, 7430);

        Assert.Equal("osx-arm64", TargetVerdict.Decide(facts, userService: false, 7430).RuntimeIdentifier);
    }

    [Fact]
    public void Decide_OldMac_NamesTheVersionThatIsNeeded()
    {
        var answers = RecordedMac.Answers();
        answers[CheckCommands.System] = new(0, "ProductName:\tmacOS\nProductVersion:\t13.7\n", "");
        var facts = TargetFactsReader.Read(RecordedMac.Identity, answers, RootAccess.IsRoot, 7430);

        Assert.Contains(TargetVerdict.Decide(facts, userService: false, 7430).Problems, problem => problem.Contains("macOS 13.7; the agent needs macOS 14", StringComparison.Ordinal));
    }

    [Fact]
    public void Decide_PortTaken_NamesTheHolderUnlessItIsAnAgent()
    {
        Assert.Contains(TargetVerdict.Decide(RecordedMac.Facts(port: 5900), userService: false, 5900).Problems, problem => problem.Contains("*.5900", StringComparison.Ordinal));

        var answers = RecordedMac.Answers();
        answers[CheckCommands.Installed] = new(0, "root=/opt/clusterllm\nlink=versions/0123456789abcdef\n{\n  \"Node:Id\": \"mini-1\",\n}\n", "");
        var facts = TargetFactsReader.Read(RecordedMac.Identity, answers, RootAccess.IsRoot, 5900);
        Assert.Equal(new InstalledAgent("/opt/clusterllm", "0123456789abcdef", "mini-1"), facts.Installed);
        Assert.Empty(TargetVerdict.Decide(facts, userService: false, 5900).Problems);
    }

    [Fact]
    public void DiskProblem_TooLittle_NamesBothNumbers()
    {
        var facts = RecordedMac.Facts() with { FreeBytes = 1000 };

        Assert.Contains("3,000 bytes", TargetVerdict.DiskProblem(facts, 1000, 2000), StringComparison.Ordinal);
        Assert.Null(TargetVerdict.DiskProblem(facts, 400, 600));
        Assert.Null(TargetVerdict.DiskProblem(facts with { FreeBytes = null }, 1000, 2000));
        Assert.Contains("/Users/anna", TargetVerdict.DiskProblem(facts with { FreeBytes = 5000, FreeHomeBytes = 10 }, 1000, 2000), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("")]
    [InlineData("Windows_NT")]
    [InlineData("Darwin\nhost")]
    [InlineData("Linux x86_64\nhost\nroot\nroot\n/root\n")]
    public void ReadIdentity_NoAnswerOrAnotherSystem_SaysWhat(string output)
    {
        Assert.Null(TargetFactsReader.ReadIdentity(new CommandAnswer(127, output, "sh: uname: not found"), out var problem));
        Assert.NotEmpty(problem);
    }

    [Theory]
    [InlineData("launchctl_print_system_daemon_26.6.2.txt", 0, true, "launchd says running")]
    [InlineData("launchctl_print_gui_agent_running.txt", 0, true, "launchd says running")]
    [InlineData("launchctl_print_gui_agent_waiting.txt", 0, false, "launchd says not running, started 360 times, last exit code 0")]
    [InlineData("launchctl_print_respawning_trimmed.txt", 0, false, "launchd says spawn scheduled, started 17169 times, last exit code 1")]
    [InlineData("launchctl_print_not_found_system.txt", 113, false, "launchd has not loaded it")]
    [InlineData("launchctl_print_not_found_gui.txt", 113, false, "launchd has not loaded it")]
    public void ServiceStatus_RecordedLaunchctl_IsRead(string sample, int exitCode, bool running, string text) =>
        Assert.Equal(new ServiceStatus(running, text), ServiceStatus.Read("launchd-daemon", exitCode, RecordedMac.Read(sample)));

    [Fact]
    public void ServiceStatus_KilledJob_SaysWhatMacOsKillsFor() =>
        Assert.Contains("valid signature", ServiceStatus.Read("launchd-daemon", 0, "system/x = {\n\tstate = spawn scheduled\n\tlast terminating signal = Killed: 9\n}\n").Text, StringComparison.Ordinal);
}
