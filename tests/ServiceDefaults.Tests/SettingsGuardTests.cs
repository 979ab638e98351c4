using Microsoft.Extensions.Configuration;

namespace ClusterLlm.ServiceDefaults.Tests;

public sealed class SettingsGuardTests
{
    [Fact]
    public void FindUnknown_MisspeltKey_NamesTheNearestOne()
    {
        var unknown = Find(("Sample:Adress", "x"));

        var setting = Assert.Single(unknown);
        Assert.Equal("Sample:Adress", setting.Key);
        Assert.Equal("Sample:Address", setting.Nearest);
        Assert.Equal("The setting 'Sample:Adress' is not known; did you mean 'Sample:Address'?", setting.ToString());
    }

    [Fact]
    public void FindUnknown_KeyLikeNoOther_NamesNone() =>
        Assert.Equal("The setting 'Sample:Colour' is not known.", Assert.Single(Find(("Sample:Colour", "x"))).ToString());

    [Fact]
    public void FindUnknown_NestedSection_IsLookedInto() =>
        Assert.Equal("Sample:Inner:Delay", Assert.Single(Find(("Sample:Inner:Delai", "1"))).Nearest);

    [Theory]
    [InlineData("Sample:address")]
    [InlineData("Sample:Tags:0")]
    [InlineData("Sample:Labels:anything")]
    [InlineData("Sample:Inner:Delay")]
    [InlineData("Other:Adress")]
    public void FindUnknown_KnownOrForeignKey_SaysNothing(string key) => Assert.Empty(Find((key, "1")));

    private static IReadOnlyList<UnknownSetting> Find(params (string Key, string Value)[] settings)
    {
        var configuration = new ConfigurationBuilder()
            .AddInMemoryCollection(settings.Select(setting => KeyValuePair.Create(setting.Key, (string?)setting.Value)))
            .Build();
        return SettingsGuard.FindUnknown(configuration, new Dictionary<string, Type> { ["Sample"] = typeof(SampleOptions) });
    }

    private sealed class SampleOptions
    {
        public string Address { get; set; } = "";

        public List<string> Tags { get; } = [];

        public Dictionary<string, string> Labels { get; } = [];

        public InnerOptions Inner { get; set; } = new();
    }

    private sealed class InnerOptions
    {
        public int Delay { get; set; }
    }
}
