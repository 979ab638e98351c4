using ClusterLlm.ModelFiles;

namespace ClusterLlm.NodeAgent.Tests.Engines.Builtin;

/// <summary>The whole engine against the reference: requests in, chunks out, over every kind of split.</summary>
public sealed class GoldenGenerationTests
{
    public static TheoryData<string, int, int, StageTransport, bool> Runs
    {
        get
        {
            var runs = new TheoryData<string, int, int, StageTransport, bool>();
            foreach (var model in GoldenFile.Models.Where(model => model != GoldenFile.SmolLm2))
            {
                runs.Add(model, 1, 128, StageTransport.InProcess, false);
                runs.Add(model, 1, 5, StageTransport.InProcess, true);
                runs.Add(model, 2, 128, StageTransport.Grpc, true);
                runs.Add(model, 2, 3, StageTransport.InProcess, false);
                runs.Add(model, 3, 128, StageTransport.InProcess, true);
                runs.Add(model, 3, 7, StageTransport.Grpc, true);
            }

            runs.Add(GoldenFile.SmolLm2, 1, 128, StageTransport.InProcess, true);
            runs.Add(GoldenFile.SmolLm2, 2, 11, StageTransport.InProcess, true);
            runs.Add(GoldenFile.SmolLm2, 3, 128, StageTransport.Grpc, true);
            return runs;
        }
    }

    [Theory(Timeout = 300_000)]
    [MemberData(nameof(Runs))]
    public async Task Generate_GoldenPrompts_GivesGoldenTokensAndLogProbs(string model, int stages, int chunk, StageTransport transport, bool batched)
    {
        var cancellationToken = TestContext.Current.CancellationToken;
        var path = GoldenFile.FolderOf(model);
        var cases = GoldenFile.Read(model);
        var hosted = new HostedModel(path, Cuts(ModelFolder.Open(path).Config.LayerCount, stages))
        {
            Transport = transport,
            Chunk = chunk,
            Context = 512,
            MicroBatches = batched ? stages : 1,
        };
        await using var hosts = await StageHosts.StartAsync(hosted, cancellationToken);
        if (batched)
        {
            var answers = await Task.WhenAll(cases.Select(golden => Ask(hosts, golden, cancellationToken)));
            Assert.All(cases.Zip(answers), pair => Check(model, pair.First, pair.Second));
            return;
        }

        foreach (var golden in cases)
        {
            Check(model, golden, await Ask(hosts, golden, cancellationToken));
        }
    }

    /// <summary>Uneven: the first stage gets one layer of two stages, the middle one most of three.</summary>
    private static int[] Cuts(int layers, int stages) => stages switch
    {
        1 => [layers],
        2 => [1, layers - 1],
        _ => [1, layers - 3, 2],
    };

    private static Task<Answer> Ask(StageHosts hosts, GoldenCase golden, CancellationToken cancellationToken) =>
        Answer.GreedyAsync(hosts.RankZero, golden.PromptIds, golden.Tokens.Length, cancellationToken);

    private static void Check(string model, GoldenCase golden, Answer answer)
    {
        Assert.Equal(golden.Tokens.Length, answer.Tokens.Length);
        for (var index = 0; index < golden.Tokens.Length; index++)
        {
            Assert.True(
                answer.Tokens[index] == golden.Tokens[index] || golden.TopMargins[index] < 1e-3,
                $"{model} {golden.Name}: token {index} is {answer.Tokens[index]}, not {golden.Tokens[index]} (margin {golden.TopMargins[index]}).");
            Assert.Equal(golden.LogProbs[index], answer.LogProbs[index], GoldenFile.Tolerance(model));
            if (answer.Tokens[index] != golden.Tokens[index])
            {
                // A near tie went the other way: what follows continues another text.
                return;
            }
        }
    }
}
