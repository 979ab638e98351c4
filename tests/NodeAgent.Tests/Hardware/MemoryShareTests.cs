using ClusterLlm.NodeAgent.Hardware;

namespace ClusterLlm.NodeAgent.Tests.Hardware;

public sealed class MemoryShareTests
{
    private static readonly MemoryLimit Machine = new(9_000, "MemTotal");

    public static TheoryData<double?, long?, long, string> Cases => new()
    {
        { null, null, 9_000, "MemTotal" },
        { 1.0, null, 9_000, "MemTotal" },
        { 0.3333, null, 2_999, "Node:MemoryShare 0.3333 of MemTotal" },
        { null, 4_000, 4_000, "Node:MemoryLimitBytes below MemTotal" },
        { null, 10_000, 9_000, "MemTotal" },
        { 0.5, 4_000, 4_000, "Node:MemoryLimitBytes below Node:MemoryShare 0.5 of MemTotal" },
        { 0.5, 5_000, 4_500, "Node:MemoryShare 0.5 of MemTotal" },
    };

    [Theory]
    [MemberData(nameof(Cases))]
    public void Apply_Settings_TakesTheSmaller(double? share, long? limit, long bytes, string source) =>
        Assert.Equal(new MemoryLimit(bytes, source), MemoryShare.Apply(Machine, share, limit));
}
