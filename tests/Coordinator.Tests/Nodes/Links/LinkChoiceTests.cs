using System.Collections.Immutable;
using ClusterLlm.Coordinator.Nodes.Links;

namespace ClusterLlm.Coordinator.Tests.Nodes.Links;

public sealed class LinkChoiceTests
{
    private const string Thunderbolt = "https://169.254.7.1:7430";
    private const string Ethernet = "https://192.168.1.5:7430";
    private const string Wifi = "https://192.168.2.5:7430";

    private static readonly ImmutableArray<string> Usable = [Thunderbolt, Ethernet, Wifi];

    [Fact]
    public void Decide_Measured_TakesTheOneThatMovesAMessageFastest()
    {
        // Wi-Fi has the shorter round trip here, but its bandwidth costs more than that gains.
        var decision = LinkChoice.Decide(Usable, Link(Reading(Thunderbolt, 0.4, 4e9), Reading(Ethernet, 0.3, 0.115e9), Reading(Wifi, 0.2, 0.02e9)));

        Assert.Equal(Thunderbolt, decision.Url);
        Assert.Contains("fastest of 3", decision.Reason, StringComparison.Ordinal);
    }

    [Fact]
    public void Decide_FastKindDoesNotAnswer_TakesWhatDoes() =>
        Assert.Equal(Wifi, LinkChoice.Decide(Usable, Link(Reading(Thunderbolt, null, null), Reading(Wifi, 3, 0.02e9))).Url);

    [Fact]
    public void Decide_SetByHand_CountsAsLongAsTheNodeHasTheAddress()
    {
        var link = Link(Reading(Thunderbolt, 0.1, 4e9)) with { Chosen = Ethernet };

        Assert.Equal(new LinkDecision(Ethernet, "set by hand"), LinkChoice.Decide(Usable, link));
        Assert.Equal(Thunderbolt, LinkChoice.Decide([Thunderbolt, Wifi], link).Url);
    }

    [Fact]
    public void Decide_NothingMeasured_TakesTheFastestKind()
    {
        Assert.Equal(new LinkDecision(Thunderbolt, "the fastest kind of link; not measured"), LinkChoice.Decide(Usable, null));
        Assert.Equal(new LinkDecision(Wifi, "the only address"), LinkChoice.Decide([Wifi], Link(Reading(Ethernet, 0.1, 1e9))));
        Assert.Null(LinkChoice.Decide([], null).Url);
    }

    [Fact]
    public void Decide_EqualReadings_IsTheSameEveryTime() =>
        Assert.Equal(Ethernet, LinkChoice.Decide([Ethernet, Wifi], Link(Reading(Wifi, 1, 1e9), Reading(Ethernet, 1, 1e9))).Url);

    private static NodeLink Link(params AddressReading[] readings) => new("a", "b", [.. readings], null);

    private static AddressReading Reading(string url, double? roundTrip, double? bandwidth) =>
        new(url, "unknown", "en0", roundTrip, bandwidth, roundTrip is null ? "No route to host" : null, DateTimeOffset.UnixEpoch);
}
