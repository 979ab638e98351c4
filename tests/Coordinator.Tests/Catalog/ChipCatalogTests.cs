using ClusterLlm.Coordinator.Catalog;

namespace ClusterLlm.Coordinator.Tests.Catalog;

public sealed class ChipCatalogTests
{
    [Theory]
    [InlineData("Apple M4 Pro", 20, 273e9, "Pro")]
    [InlineData("m3 ultra", 80, 819e9, "Ultra")]
    [InlineData("Apple M1", 8, 68.25e9, "Base")]
    public void Find_KnownChip_HasItsFigures(string name, int cores, double bandwidth, string die)
    {
        var chip = ChipCatalog.BuiltIn.Find(name, cores, 0);

        Assert.Equal((bandwidth, die, null), (chip.BandwidthBytesPerSecond, chip.Die.ToString(), chip.Assumption));
    }

    [Theory]
    [InlineData("Apple M9 Max")]
    [InlineData("AMD EPYC 7763")]
    [InlineData("")]
    [InlineData("Apple")]
    public void Find_UnknownChip_IsPlannedWithAStatedAssumption(string name)
    {
        var chip = ChipCatalog.BuiltIn.Find(name, 0, 4);

        Assert.NotNull(chip.Assumption);
        Assert.True(chip.BandwidthBytesPerSecond > 0 && chip.ShaderFlops > 0 && chip.MatrixFlops > 0);
    }

    [Fact]
    public void Entries_AllGenerationsFromM1ToM5_AreListed() =>
        Assert.Empty(new[] { "M1", "M2", "M3", "M4", "M5" }.Except(ChipCatalog.BuiltIn.Entries.Select(entry => entry.Facts.Generation)));

    [Fact]
    public void WiredLimit_WithoutAnAgent_ErrsOnTheSafeSide()
    {
        Assert.Equal(16L << 30, WiredLimit.DefaultBytes(24L << 30));
        Assert.Equal(48L << 30, WiredLimit.DefaultBytes(64L << 30));
    }
}
