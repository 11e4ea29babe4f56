-- Forms of answers keep their signs now ("-5" is not "5"; verify/answers.py), and number words are read further.
-- Every form is derived again (store/reading/summary.py), and every row of `outcome` made again.
UPDATE trace SET form = NULL;
UPDATE prediction SET form = NULL;
UPDATE summary SET scope = '';
