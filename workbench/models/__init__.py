"""Learned models behind small interfaces: language models, endpoints, detector, students.

Files:
    bundled.py            the shipped weights put together
    chat_endpoint.py      requests to a chat endpoint, many at a time
    chat_request.py       which fields a chat endpoint takes
    chat_turn.py          what a chat template writes around a question of text alone
    checkpoint.py         a checkpoint's processor, before its weights
    checkpoint_state.py   which state of a checkpoint a part computes with
    coco.py               the categories of COCO
    connection.py         the settings of a chat endpoint, for all parts that ask one
    conversation.py       a question and its answer as a chat template writes them
    decoding.py           texts that a causal model goes on with side by side
    detector.py           the embedded detector: SSDLite-MobileNetV2 in onnxruntime
    endpoint.py           a language model behind a chat endpoint
    endpoint_pictures.py  a multimodal model behind a chat endpoint
    endpoint_student.py   a student behind a chat endpoint
    eyes.py               between what a model sees and what it reads
    find_by_name.py       detection by name with the student's own eyes
    hub_catalogue.py      what is known of models of the hub without asking it
    hub_check.py          what of a model is here, and what it takes
    kept_arrays.py        arrays on disk, by what they were made from
    lanes.py              work divided among the processor's threads by the piece
    language.py           language models in this process
    llama_rows.py         the same for a Llama on a processor, quicker
    padding.py            rows of tokens of unequal length, as one tensor
    picture_budget.py     how much of a picture a checkpoint gets to see
    picture_cache.py      each picture goes through an image processor once
    pictures_read.py      pictures that a student has read, and answers behind them
    pointer_processor.py  the pointer student's processor
    pointer_vlm.py        the student for two processor cores
    pointer_words.py      the pointer student's own words
    pool.py               many calls at a time, each result as soon as it is there
    prompts_read.py       prompts that a language model has read, and answers behind them
    region_vlm.py         the bundled student's architecture
    replies.py            the replies of chat endpoints, read with care
    second_head.py        a second head beside a model's own, mixed with it
    servers.py            several servers of one model, the least busy first
    student.py            the student behind its port
    text_tower.py         the first layers of a language model, frozen
    thinking.py           what a model thinks aloud, apart from its answer
    vision.py             vision models of the hub
    vlm.py                any vision-language model of transformers
    weights.py            which weights a folder holds
"""
