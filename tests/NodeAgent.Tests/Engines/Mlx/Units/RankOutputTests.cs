using ClusterLlm.NodeAgent.Engines.Mlx.Installing;
using ClusterLlm.NodeAgent.Engines.Mlx.Processes;

namespace ClusterLlm.NodeAgent.Tests.Engines.Mlx.Units;

/// <summary>What ranks and probes write.</summary>
public sealed class RankOutputTests
{
    [Fact]
    public void Parse_Beat_HasItsReadings()
    {
        var beat = RankEvent.Parse("""{"event":"beat","rank":0,"active":1253136,"peak":1300000,"cache":7,"tokens_per_second":5.8,"stage_step_ms":4.1,"last_progress_ms":28}""")!;

        Assert.Equal(("beat", 1253136, 7, 5.8, 4.1, 28), (beat.Event, beat.Active, beat.Cache, beat.TokensPerSecond, beat.StageStepMs, beat.LastProgressMs));
    }

    [Theory]
    [InlineData("")]
    [InlineData("Traceback (most recent call last):")]
    [InlineData("{}")]
    [InlineData("""{"event":5}""")]
    [InlineData("{\"event\":\"layer\",\"done\":")]
    public void Parse_AnythingElse_IsNoEvent(string line) => Assert.Null(RankEvent.Parse(line));

    [Theory]
    [InlineData(70, "RuntimeError: [ring] connection to a peer was lost", "Rank 1 lost the connection to a neighbour: another rank or its link ended first. Its last lines: x")]
    [InlineData(70, "ValueError: no such layer.", "Rank 1 failed: ValueError: no such layer. Its last lines: x")]
    [InlineData(71, "no progress for 6 s: a rank or its link hangs", "Rank 1 was ended by its watchdog: no progress for 6 s: a rank or its link hangs. Its last lines: x")]
    [InlineData(137, null, "Rank 1 was killed (SIGKILL): by hand, or by the system because memory ran out. Its last lines: x")]
    [InlineData(139, null, "Rank 1 crashed (SIGSEGV). Its last lines: x")]
    [InlineData(143, null, "Rank 1 was ended by signal 15. Its last lines: x")]
    [InlineData(1, null, "Rank 1 ended with exit code 1. Its last lines: x")]
    public void Describe_Exit_SaysWhichRankAndWhy(int code, string? reason, string expected) => Assert.Equal(expected, RankExit.Describe(1, code, reason, "x"));

    [Theory]
    [InlineData("RuntimeError: [ring] Couldn't connect (error: 65)", "x", "allow it in System Settings, Privacy & Security, Local Network. Its last lines")]
    [InlineData("RuntimeError: [jaccl] Changing queue pair to RTR failed with errno 22", "x", "take the Thunderbolt bridge down. Its last lines")]
    [InlineData(null, "libc++abi: terminating: [METAL] Command buffer execution failed: Insufficient Memory", "give this node fewer layers, a shorter context or less concurrency. Its last lines")]
    public void Describe_KnownError_SaysWhatToDo(string? reason, string lastLines, string expected) =>
        Assert.Contains(expected, RankExit.Describe(0, reason is null ? 134 : 70, reason, lastLines), StringComparison.Ordinal);

    [Theory]
    [InlineData(1, 40, 41, true)]
    [InlineData(10, 40, 50, true)]
    [InlineData(10, 40, 45, true)]
    [InlineData(10, 40, 44, false)]
    [InlineData(10, 40, 30, false)]
    public void IsBack_Gigabytes_WantsMostOfWhatWasHeld(long heldTenths, long before, long after, bool expected) =>
        Assert.Equal(expected, ClusterLlm.NodeAgent.Engines.Mlx.MemoryReturn.IsBack(before * 100_000_000, heldTenths * 100_000_000, after * 100_000_000));

    [Fact]
    public void Last_MoreLinesThanKept_AreTheNewest()
    {
        var tail = new LogTail(3);
        foreach (var line in (string[])["a", "b", " ", "c"])
        {
            tail.Add(line);
        }

        Assert.Equal("b | c", tail.Last(5));
        Assert.Equal("c", tail.Last(1));
    }

    [Fact]
    public void Parse_ProbeReport_ReadsTheLastLine()
    {
        var report = MlxProbeReport.Parse(
            "a warning\n" + """{"python": "3.11.7", "mlx": "0.32.4", "mlx_lm": "0.32.2", "fault": null, "metal": true, "ring": true, "jaccl": false, "device": {"architecture": "applegpu_g16s", "memory_size": 68719476736}, "families": ["llama"], "model_types": ["gemma", "llama"]}""" + "\n");

        Assert.Equal("mlx 0.32.4, mlx-lm 0.32.2", report.Version);
        Assert.Equal("68719476736", report.Device["memory_size"]);
        Assert.Equal(["gemma", "llama"], report.ModelTypes);
    }

    [Theory]
    [InlineData("")]
    [InlineData("[]")]
    [InlineData("{\"python\": \"3\"}")]
    [InlineData("Segmentation fault")]
    public void Parse_NoProbeReport_Throws(string output) => Assert.ThrowsAny<System.Text.Json.JsonException>(() => MlxProbeReport.Parse(output));
}
