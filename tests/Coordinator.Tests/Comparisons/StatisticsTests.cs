using ClusterLlm.Coordinator.Comparisons.Candidates;
using ClusterLlm.Coordinator.Comparisons.Statistics;

namespace ClusterLlm.Coordinator.Tests.Comparisons;

public sealed class StatisticsTests
{
    [Fact]
    public void Of_TextbookSample_HasStudentsInterval()
    {
        // Mean 3, standard deviation sqrt(2.5), t(4, 97.5 %) = 2.776: half width 1.963.
        var estimate = RatioEstimate.Of([1, 2, 3, 4, 5], 0.025);

        Assert.Equal(3, estimate.MeanLog, 1e-9);
        Assert.Equal(1.963, estimate.HalfWidth, 1e-3);
    }

    [Fact]
    public void OfIndependent_TextbookSamples_AreWelchs()
    {
        // Means 4 and 2, variances of means 0.5 and 0.2: t with 6.53 degrees of freedom is 2.399, half width 2.007.
        var estimate = RatioEstimate.OfIndependent([2, 3, 4, 5, 6], [1, 1, 2, 3, 3], 0.025);

        Assert.Equal(2, estimate.MeanLog, 1e-9);
        Assert.Equal(2.0, estimate.HalfWidth, 0.02);
    }

    [Theory]
    [InlineData(0.5, 2.5)]
    [InlineData(0.95, 3.85)]
    [InlineData(0, 1)]
    public void Quantile_FourValues_IsInterpolated(double share, double expected) => Assert.Equal(expected, Quantiles.Of([4, 1, 3, 2], share), 1e-9);

    [Fact]
    public void RoundOrder_ManyRounds_EachOnceAndEveryPlaceAlike()
    {
        var places = new double[5];
        for (var round = 0; round < 400; round++)
        {
            var order = RoundOrder.Of(5, round, seed: 7);
            Assert.Equal([0, 1, 2, 3, 4], order.Order());
            for (var place = 0; place < 5; place++)
            {
                places[order[place]] += place;
            }
        }

        // A round and its reverse give every candidate the same mean place.
        Assert.All(places, sum => Assert.Equal(400 * 2, sum));
    }
}
